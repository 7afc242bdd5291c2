/** The configuration files of the demo, the demo cluster and the tests: real ones, to be read and changed. */

export type NodePlace = {
  readonly me: string;
  /** Relative to the configuration file. */
  readonly data: string;
  readonly ports: Readonly<Record<'pop3' | 'lmtp' | 'poppwd', number> & { readonly imap?: number }>;
  readonly natsPorts?: readonly number[] | undefined;
  /** TOML for the table `[nats]`: user, password-file, TLS. */
  readonly nats?: string | undefined;
  readonly channels?: number | undefined;
  readonly tls?: PlaceTls | undefined;
  /** TOML put into each listener. */
  readonly listenerTerms?: string | undefined;
  readonly logLevel?: string | undefined;
  /** TOML put before the first table. */
  readonly top?: string | undefined;
  /** TOML tables put at the end. */
  readonly tables?: string | undefined;
};

/** POP3, IMAP and LMTP get STARTTLS, and listeners under implicit TLS stand beside those in clear. */
export type PlaceTls = {
  /** Paths relative to the configuration file. */
  readonly certificate: string;
  readonly key: string;
  readonly ports: Readonly<Record<'pop3s' | 'imaps' | 'poppwds', number>>;
  /** No password in clear: poppwd, which has no command for TLS, listens under it alone. */
  readonly isOnly?: boolean;
};

/** POP3 under implicit TLS at 1995, IMAP at 1993, 2995 and so on, as their 995 and 993 (RFC 8314 §7.1); poppwd, which has no port for it, at 1107. */
export const tlsPortsFrom = (base: number) => ({ pop3s: base + 995, imaps: base + 993, poppwds: base + 107 });

/** 1000 gives POP3 1110, IMAP 1143, LMTP 1124, poppwd 1106; 2000 gives 2110 and so on. */
export const portsFrom = (base: number) => ({
  pop3: base + 110,
  imap: base + 143,
  lmtp: base + 124,
  poppwd: base + 106,
});

export function configuration(place: NodePlace): string {
  const channels = place.channels === undefined ? '' : `channels = ${place.channels}\n`;
  const { tls } = place;
  const inClear = Object.entries(place.ports).filter(([protocol]) => !(tls?.isOnly && protocol === 'poppwd'));
  const listeners = [
    ...inClear.map(([protocol, port]) => listener(protocol, port, tls && protocol !== 'poppwd' ? 'starttls' : 'none')),
    ...(tls
      ? [
          listener('pop3', tls.ports.pop3s, 'implicit'),
          listener('imap', tls.ports.imaps, 'implicit'),
          listener('poppwd', tls.ports.poppwds, 'implicit'),
        ]
      : []),
  ].map((each) => each + channels + (place.listenerTerms ?? ''));
  const top = (tls?.isOnly ? 'cleartext-login-enable = false\n' : '') + (place.top ?? '');
  const servers = place.natsPorts?.map((port) => `127.0.0.1:${port}`) ?? [];
  const nats =
    servers.length === 0
      ? []
      : [
          `[nats]\nservers = ${JSON.stringify(servers)}\ncluster = "demo"\ncluster-key-file = "cluster.key"\n${place.nats ?? ''}`,
        ];
  return [
    `me = "${place.me}"\ndata = "${place.data}"\ndefault-domain = "example.test"\n${top}`,
    ...nats,
    ...listeners,
    ...(tls ? [`[tls]\ncertificate-file = "${tls.certificate}"\nkey-file = "${tls.key}"\n`] : []),
    `[log]\nlevel = "${place.logLevel ?? 'warn'}"\nformat = "text"\n`,
    ...(place.tables === undefined ? [] : [place.tables]),
  ].join('\n');
}

const listener = (protocol: string, port: number, tls: string): string =>
  `[[listener]]\nprotocol = "${protocol}"\naddress = "127.0.0.1"\nport = ${port}\n${tls === 'none' ? '' : `tls = "${tls}"\n`}`;
