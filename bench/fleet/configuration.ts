/** The configuration files of the demo, the demo cluster and the tests: real ones, to be read and changed. */

export type NodePlace = {
  readonly me: string;
  /** Relative to the configuration file. */
  readonly data: string;
  readonly ports: Readonly<Record<'pop3' | 'lmtp' | 'poppwd', number>>;
  readonly natsPorts?: readonly number[] | undefined;
  /** TOML for the table `[nats]`: user, password-file, TLS. */
  readonly nats?: string | undefined;
  readonly channels?: number | undefined;
  /** TLS: paths relative to the configuration file, and the port of POP3 under implicit TLS; POP3 and LMTP get STARTTLS. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly pop3sPort: number } | undefined;
  readonly logLevel?: string | undefined;
  /** TOML put before the first table. */
  readonly top?: string | undefined;
  /** TOML tables put at the end. */
  readonly tables?: string | undefined;
};

/** POP3 under implicit TLS: 1995, 2995 and so on. */
export const pop3sPortFrom = (base: number) => base + 995;

/** 1000 gives POP3 1110, LMTP 1124, poppwd 1106; 2000 gives 2110 and so on. */
export const portsFrom = (base: number) => ({ pop3: base + 110, lmtp: base + 124, poppwd: base + 106 });

export function configuration(place: NodePlace): string {
  const channels = place.channels === undefined ? '' : `channels = ${place.channels}\n`;
  const listeners = Object.entries(place.ports).map(
    ([protocol, port]) => listener(protocol, port, place.tls && protocol !== 'poppwd' ? 'starttls' : 'none') + channels,
  );
  const tls =
    place.tls === undefined
      ? []
      : [
          `[tls]\ncertificate-file = "${place.tls.certificate}"\nkey-file = "${place.tls.key}"\n`,
          listener('pop3', place.tls.pop3sPort, 'implicit') + channels,
        ];
  const servers = place.natsPorts?.map((port) => `127.0.0.1:${port}`) ?? [];
  const nats =
    servers.length === 0
      ? []
      : [
          `[nats]\nservers = ${JSON.stringify(servers)}\ncluster = "demo"\ncluster-key-file = "cluster.key"\n${place.nats ?? ''}`,
        ];
  return [
    `me = "${place.me}"\ndata = "${place.data}"\ndefault-domain = "example.test"\n${place.top ?? ''}`,
    ...nats,
    ...listeners,
    ...tls,
    `[log]\nlevel = "${place.logLevel ?? 'warn'}"\nformat = "text"\n`,
    ...(place.tables === undefined ? [] : [place.tables]),
  ].join('\n');
}

const listener = (protocol: string, port: number, tls: string): string =>
  `[[listener]]\nprotocol = "${protocol}"\naddress = "127.0.0.1"\nport = ${port}\n${tls === 'none' ? '' : `tls = "${tls}"\n`}`;
