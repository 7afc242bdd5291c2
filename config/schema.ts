/**
 * Every option of a node, declared once: type, default, unit, meaning and example (docs/architecture.md, "The operator's
 * contract"). The loader, `docs/reference/configuration.md` and `docs/config.schema.json` all come from here; the options
 * themselves stand in options/, a file for each room of the configuration.
 *
 * An option that nothing reads has no place here. Rules between options are in cross-checks.ts.
 */
import { z } from 'zod';
import { type Named, table } from './option.ts';
import { admin } from './options/admin.ts';
import { connectionLog } from './options/connection-log.ts';
import { limits } from './options/limits.ts';
import { listener } from './options/listener.ts';
import { log } from './options/log.ts';
import { owner, password, quota } from './options/mail.ts';
import { nats } from './options/nats.ts';
import { node } from './options/node.ts';
import { imap, lmtp, pop3, poppwd } from './options/sessions.ts';
import { tls, tlsName } from './options/tls.ts';

/** The tables of the file, by name; their keys are what an unknown key is compared with. */
export const tables = {
  nats,
  tls,
  'tls.name': tlsName,
  listener,
  log,
  'connection-log': connectionLog,
  pop3,
  imap,
  lmtp,
  poppwd,
  limits,
  password,
  quota,
  owner,
  admin,
} as const;

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
    .array(table(listener).meta({ not: { required: ['port', 'path'] } }), {
      error: 'is not allowed: must be tables, each begun by [[listener]]',
    })
    .default([])
    .meta({
      description: 'A port or unix socket that clients reach; one `[[listener]]` each. None: this node only owns mail.',
    }),
  log: table(log).prefault({}).meta({ description: 'The server log.' }),
  'connection-log': table(connectionLog)
    .prefault({})
    .meta({ description: 'Who connected and logged in, one entry a line (docs/logs.md).' }),
  pop3: table(pop3).prefault({}).meta({ description: 'POP3 sessions.' }),
  imap: table(imap).prefault({}).meta({ description: 'IMAP sessions.' }),
  lmtp: table(lmtp).prefault({}).meta({ description: 'LMTP sessions.' }),
  poppwd: table(poppwd).prefault({}).meta({ description: 'Password-change sessions.' }),
  limits: table(limits).prefault({}).meta({ description: 'What one account may take of this node.' }),
  password: table(password).prefault({}).meta({ description: 'How passwords are kept.' }),
  quota: table(quota)
    .prefault({})
    .meta({ description: 'What accounts may hold that have no limits of their own. Shared mailboxes have none.' }),
  owner: table(owner).prefault({}).meta({ description: "The owners of mailHosts' accounts." }),
  admin: table(admin).prefault({}).meta({ description: 'Signed admin messages.' }),
}).meta({ title: 'Homing configuration' });

export type ConfigFile = z.output<typeof configFile>;

/** A TCP port (0: any free one) or a unix socket. */
export type Place =
  | { readonly address: string; readonly port: number }
  | { readonly path: string; readonly mode?: number };

export type Listener = {
  readonly protocol: 'pop3' | 'imap' | 'lmtp' | 'poppwd';
  readonly place: Place;
  readonly channels: number;
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** Lines of kernel/address-list.ts; with `allowFile` absent too, everyone. */
  readonly allow?: readonly string[];
  readonly allowFile?: string;
  /** Present: a PROXY header is required, and these are believed. On a unix socket nobody is named. */
  readonly proxyTrusted?: readonly string[];
  /** 0: no limit. Absent: the defaults (bin/address-terms.ts). */
  readonly connectionsPerAddress?: number;
  readonly connectionRatePerAddress?: number;
  readonly limitsExempt?: readonly string[];
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
  readonly connectionLog: {
    readonly destination: 'off' | { readonly file: string };
    readonly protocols: readonly ('pop3' | 'imap' | 'poppwd')[];
  };
  readonly pop3: Named<typeof pop3>;
  readonly imap: Named<typeof imap>;
  readonly lmtp: Named<typeof lmtp>;
  readonly poppwd: Named<typeof poppwd>;
  readonly limits: Named<typeof limits>;
  readonly password: Named<typeof password>;
  readonly quota: Named<typeof quota>;
  readonly owner: Named<typeof owner>;
  readonly admin: Named<typeof admin>;
};
