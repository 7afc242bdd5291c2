/** A HAProxy of a test's own on loopback, that spreads TCP connections over servers and tells each the client's address (PROXY v2). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Balancer } from '../../bench/fleet/fleet.ts';
import { PortPicker } from '../../bench/fleet/port-picker.ts';
import { Program } from '../../bench/fleet/program.ts';

export type Haproxy = {
  /** Where clients connect, for each name that was balanced. */
  readonly ports: Readonly<Record<string, number>>;
  stop(): Promise<void>;
};

/** @param balanced  by name: the ports on loopback that connections are spread over */
export async function startHaproxy(balanced: Readonly<Record<string, readonly number[]>>): Promise<Haproxy> {
  const directory = mkdtempSync(join(tmpdir(), 'homing-haproxy-'));
  const picker = new PortPicker();
  const ports: Record<string, number> = {};
  for (const name of Object.keys(balanced)) ports[name] = await picker.next();
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(balanced, ports));
  const program = await startOn(file);
  return {
    ports,
    async stop() {
      await program.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** As one process before each node, for whole suites: what comes to a port goes to one listener, which must be told whose it is. */
export const haproxyBalancer: Balancer = {
  listenerTerms: 'proxy-protocol = "required"\nproxy-trusted = ["127.0.0.1"]\n',
  async start(pairs) {
    const directory = mkdtempSync(join(tmpdir(), 'homing-haproxy-'));
    const file = join(directory, 'haproxy.cfg');
    const sections = pairs.map(
      ({ at, to }) => `listen p${at}\n  bind 127.0.0.1:${at}\n  server only 127.0.0.1:${to} send-proxy-v2\n`,
    );
    writeFileSync(file, `${DEFAULTS}  retries 0\n\n${sections.join('\n')}`);
    const program = await startOn(file);
    return {
      async stop() {
        await program.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

const DEFAULTS = `
defaults
  mode tcp
  timeout connect 2s
  timeout client 10m
  timeout server 10m
`;

/** The master says so when its worker listens. */
const startOn = (file: string): Promise<Program> =>
  Program.start(['/usr/sbin/haproxy', '-W', '-db', '-f', file], { readyLine: /Loading success/ });

/** Health is asked with a header of its own (PROXY LOCAL); a connection that a server refuses goes to the next one. */
function configuration(balanced: Readonly<Record<string, readonly number[]>>, ports: Readonly<Record<string, number>>) {
  const sections = Object.entries(balanced).map(([name, servers]) =>
    [
      `listen ${name}`,
      `  bind 127.0.0.1:${ports[name]}`,
      '  balance roundrobin',
      ...servers.map((port, at) => `  server s${at} 127.0.0.1:${port} send-proxy-v2 check check-send-proxy`),
    ].join('\n'),
  );
  return `${DEFAULTS}
  retries 3
  option redispatch 1
  default-server inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions

${sections.join('\n\n')}
`;
}
