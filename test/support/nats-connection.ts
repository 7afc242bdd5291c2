/** A connection of the test's own to one of a fleet's nats-servers, under TLS where the fleet is. */
import { readFileSync } from 'node:fs';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import type { NatsProcess } from '../../bench/fleet/nats-process.ts';

export function connectToNats({ tls }: Fleet, server: NatsProcess): Promise<NatsConnection> {
  const files = tls?.use === 'only' && {
    ca: readFileSync(tls.authorityFile, 'utf8'),
    cert: readFileSync(tls.certificateFile, 'utf8'),
    key: readFileSync(tls.keyFile, 'utf8'),
  };
  return connect({ servers: `127.0.0.1:${server.port}`, reconnect: false, ...(files && { tls: files }) });
}
