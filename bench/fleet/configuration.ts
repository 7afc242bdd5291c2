/** The configuration files of the demo, the demo cluster and the tests: real ones, to be read and changed. */

export type NodePlace = {
  readonly me: string;
  /** Relative to the configuration file. */
  readonly data: string;
  readonly ports: Readonly<Record<'pop3' | 'lmtp' | 'poppwd', number>>;
  readonly natsPorts?: readonly number[] | undefined;
  readonly channels?: number | undefined;
  readonly logLevel?: string | undefined;
  /** TOML put before the first table. */
  readonly top?: string | undefined;
  /** TOML tables put at the end. */
  readonly tables?: string | undefined;
};

/** 1000 gives POP3 1110, LMTP 1124, poppwd 1106; 2000 gives 2110 and so on. */
export const portsFrom = (base: number) => ({ pop3: base + 110, lmtp: base + 124, poppwd: base + 106 });

export function configuration(place: NodePlace): string {
  const channels = place.channels === undefined ? '' : `channels = ${place.channels}\n`;
  const listeners = Object.entries(place.ports).map(
    ([protocol, port]) => `[[listener]]\nprotocol = "${protocol}"\naddress = "127.0.0.1"\nport = ${port}\n${channels}`,
  );
  const servers = place.natsPorts?.map((port) => `127.0.0.1:${port}`) ?? [];
  const nats =
    servers.length === 0
      ? []
      : [`[nats]\nservers = ${JSON.stringify(servers)}\ncluster = "demo"\ncluster-key-file = "cluster.key"\n`];
  return [
    `me = "${place.me}"\ndata = "${place.data}"\ndefault-domain = "example.test"\n${place.top ?? ''}`,
    ...nats,
    ...listeners,
    `[log]\nlevel = "${place.logLevel ?? 'warn'}"\nformat = "text"\n`,
    ...(place.tables === undefined ? [] : [place.tables]),
  ].join('\n');
}
