/**
 * TLS for a fleet: an authority of its own and one certificate for loopback, made on the spot, that nodes and nats-servers
 * show; and what `[nats]` and a nats-server's file say of them. RFC 8314 §3 for the listeners. Fit for loopback only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { generate } from 'selfsigned';
import type { NatsPlace } from './nats-process.ts';

export type FleetTls = {
  /** PEM; absolute paths. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** What clients trust. */
  readonly authorityFile: string;
  /**
   * `offered`: listeners in clear stay, and offer STARTTLS; POP3 and poppwd under implicit TLS are beside them.
   * `only`: passwords in clear are refused, poppwd is under TLS alone, the fleet's clients begin TLS, and so does NATS.
   */
  readonly use: 'offered' | 'only';
};

const DNS = 2;
const IP = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Writes `authority.pem`, `cert.pem` and `key.pem` into `directory`/tls. */
export async function makeFleetTls(directory: string, use: FleetTls['use']): Promise<FleetTls> {
  const folder = join(directory, 'tls');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const common = { keyType: 'ec', algorithm: 'sha256', notAfterDate: new Date(Date.now() + 30 * DAY_MS) } as const;
  const authority = await generate([{ name: 'commonName', value: 'authority of a fleet on loopback' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const issued = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { cert: authority.cert, key: authority.private },
    extensions: [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true }, // between nats-servers, and before them, both sides show it
      {
        name: 'subjectAltName',
        altNames: [
          { type: DNS, value: 'localhost' },
          { type: IP, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  return {
    certificateFile: put('cert.pem', issued.cert),
    keyFile: put('key.pem', issued.private),
    authorityFile: put('authority.pem', authority.cert),
    use,
  };
}

/** What a client of the fleet connects with. */
export const trusting = ({ authorityFile }: Pick<FleetTls, 'authorityFile'>): ConnectionOptions => ({
  ca: readFileSync(authorityFile, 'utf8'),
  host: '127.0.0.1',
});

/** The configuration of a nats-server that takes nothing but TLS, from clients who show a certificate, and between servers. */
export const natsConfigurationUnder =
  (tls: FleetTls) =>
  ({ name, port, store, route, routes }: NatsPlace): string => {
    const files = `cert_file: "${tls.certificateFile}", key_file: "${tls.keyFile}", ca_file: "${tls.authorityFile}", verify: true`;
    const peers = routes.map((each) => `"nats://127.0.0.1:${each}"`).join(', ');
    return [
      `server_name: ${name}`,
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: "${store}" }`,
      `tls { ${files} }`,
      ...(routes.length > 1
        ? [`cluster { name: homing, listen: "127.0.0.1:${route}", routes: [ ${peers} ], tls { ${files} } }`]
        : []),
      '',
    ].join('\n');
  };

/** TOML for a node's table `[nats]`. */
export const natsAccessUnder = (tls: FleetTls): string =>
  `tls-ca-file = "${tls.authorityFile}"\ntls-certificate-file = "${tls.certificateFile}"\ntls-key-file = "${tls.keyFile}"\n`;
