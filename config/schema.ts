/**
 * Every option of a node, declared once: type, default, unit, meaning and example (docs/architecture.md, "The operator's
 * contract"). The loader, `docs/reference/configuration.md` and `docs/config.schema.json` all come from here; the options
 * themselves stand in options/, a file for each room of the configuration.
 *
 * An option that nothing reads has no place here. Rules between options are in cross-checks.ts.
 */
import { z } from 'zod';
import { type Named, table } from './option.ts';
import { listener } from './options/listener.ts';
import { log } from './options/log.ts';
import { owner, password } from './options/mail.ts';
import { nats } from './options/nats.ts';
import { node } from './options/node.ts';
import { lmtp, pop3, poppwd } from './options/sessions.ts';
import { tls, tlsName } from './options/tls.ts';

/** The tables of the file, by name; their keys are what an unknown key is compared with. */
export const tables = { nats, tls, 'tls.name': tlsName, listener, log, pop3, lmtp, poppwd, password, owner } as const;

/** The whole file, as written: kebab-case keys, units as given. */
export const configFile = table({
  ...node,
  nats: table(nats).optional().meta({ description: 'The cluster. Absent: embedded, one node without NATS.' }),
  tls: table({
    ...tls,
    name: z
      .array(table(tlsName), { error: 'is not allowed: must be tables, each begun by [[tls.name]]' })
      .default([])
      .meta({ description: 'Certificates for clients that call the server by other names.' }),
  })
    .optional()
    .meta({ description: 'The certificate of listeners with TLS. Absent: no listener has TLS.' }),
  listener: z
    .array(table(listener).meta({ oneOf: [{ required: ['port'] }, { required: ['path'] }] }), {
      error: 'is not allowed: must be tables, each begun by [[listener]]',
    })
    .default([])
    .meta({
      description: 'A port or unix socket that clients reach; one `[[listener]]` each. None: this node only owns mail.',
    }),
  log: table(log).prefault({}).meta({ description: 'The server log.' }),
  pop3: table(pop3).prefault({}).meta({ description: 'POP3 sessions.' }),
  lmtp: table(lmtp).prefault({}).meta({ description: 'LMTP sessions.' }),
  poppwd: table(poppwd).prefault({}).meta({ description: 'Password-change sessions.' }),
  password: table(password).prefault({}).meta({ description: 'How passwords are kept.' }),
  owner: table(owner).prefault({}).meta({ description: "The owners of mailHosts' accounts." }),
}).meta({ title: 'Homing configuration' });

export type ConfigFile = z.output<typeof configFile>;

/** A TCP port (0: any free one) or a unix socket. */
export type Place = { readonly address: string; readonly port: number } | { readonly path: string };

export type Listener = {
  readonly protocol: 'pop3' | 'lmtp' | 'poppwd';
  readonly place: Place;
  readonly channels: number;
  readonly tls: 'none' | 'starttls' | 'implicit';
};

export type Tls = Named<typeof tls> & { readonly names: readonly Named<typeof tlsName>[] };

/** The whole configuration as the program reads it: defaults filled in, paths absolute, units in the names. */
export type Config = Omit<Named<typeof node>, 'mailHosts' | 'hostName'> & {
  readonly mailHosts: readonly string[];
  readonly hostName: string;
  /** Embedded too: what the directory keeps of passwords is sealed with it. */
  readonly clusterKeyFile: string;
  /** Absent: embedded. */
  readonly nats?: Omit<Named<typeof nats>, 'clusterKeyFile'>;
  /** Absent: no listener has TLS. */
  readonly tls?: Tls;
  readonly listeners: readonly Listener[];
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'text' | 'json';
    readonly destination: 'stderr' | { readonly file: string };
  };
  readonly pop3: Named<typeof pop3>;
  readonly lmtp: Named<typeof lmtp>;
  readonly poppwd: Named<typeof poppwd>;
  readonly password: Named<typeof password>;
  readonly owner: Named<typeof owner>;
};
