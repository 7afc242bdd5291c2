/** Rules between options, on a file whose every option is right by itself. Pure; paths are still as written. */
import { resolve } from 'node:path';
import { INBOX, mailboxName, SEPARATOR } from '../kernel/mailbox-name.ts';
import { defaultPort } from './default-port.ts';
import { show } from './problem.ts';
import type { ConfigFile } from './schema.ts';

/** A problem before its key is printed; the path is that of the file. */
export type Finding = { readonly path: readonly PropertyKey[]; readonly text: string };

/** Paths begin at `directory`; `platform` as `process.platform` has it. */
type Surroundings = { readonly directory: string; readonly platform: string };

export function contradictions(file: ConfigFile, { directory, platform }: Surroundings): readonly Finding[] {
  return [
    ...ofListeners(file, directory, platform),
    ...ofLogs(file, directory),
    ...ofDefaultMailboxes(file.imap['default-mailboxes']),
    ...(file.nats ? ofNats(file.nats) : []),
    ...(file.tls ? ofTls(file.tls) : []),
  ];
}

/** Two writers in one file would be read as neither. */
function* ofLogs({ log, 'connection-log': connections }: ConfigFile, directory: string): Generator<Finding> {
  const isSame = resolve(directory, log.destination) === resolve(directory, connections.destination);
  if (log.destination !== 'stderr' && connections.destination !== 'off' && isSame)
    yield {
      path: ['connection-log', 'destination'],
      text: `${show(connections.destination)} is not allowed: it is the server log`,
    };
}

/** What IMAP shows of others' mailboxes stands below these (RFC 2342): no mailbox of one's own can. */
const NOT_PERSONAL: readonly string[] = ['user', 'shared'];

/** Each makes a mailbox of its own, under a name that a client could have given it. */
function* ofDefaultMailboxes(written: readonly string[]): Generator<Finding> {
  const places = { use: new Map<string, number>(), name: new Map<string, number>() };
  for (const [index, text] of written.entries()) {
    const [use, ...rest] = text.split('=') as [string, ...string[]];
    const given = rest.length === 0 ? use : rest.join('=');
    const name = mailboxName(given);
    const why = name.ok ? wrongDefault(name.value) : name.refusal;
    const at = (reason: string): Finding => ({
      path: ['imap', 'default-mailboxes', index],
      text: `${show(text)} is not allowed: ${reason}`,
    });
    if (why !== undefined) yield at(`of the name ${show(given)}, ${why}`);
    const [sameUse, sameName] = [places.use.get(use), name.ok ? places.name.get(name.value) : undefined];
    if (sameUse !== undefined) yield at(`#${sameUse + 1} is for ${use} already, and each use has one mailbox`);
    else if (sameName !== undefined) yield at(`#${sameName + 1} has the same name`);
    places.use.set(use, sameUse ?? index);
    if (name.ok) places.name.set(name.value, sameName ?? index);
  }
}

function wrongDefault(name: string): string | undefined {
  if (name === INBOX) return 'every account has that mailbox: must be another name';
  const first = name.split(SEPARATOR, 1)[0]!;
  if (!NOT_PERSONAL.includes(first)) return undefined;
  return `its first level is where mailboxes of others stand: must be another than ${NOT_PERSONAL.map(show).join(' or ')}`;
}

type WrittenListener = ConfigFile['listener'][number];

function* ofListeners(file: ConfigFile, directory: string, platform: string): Generator<Finding> {
  const [control, lmtpd, overQuota] = ['control', 'lmtpd', 'lmtpd-oq'].map((name) =>
    resolve(directory, file.data, 'ipc', name),
  ) as [string, string, string];
  if (Buffer.byteLength(control) > MAX_SOCKET_PATH_OCTETS)
    yield {
      path: ['data'],
      text: `${show(file.data)} is too long: a unix socket's path has at most ${MAX_SOCKET_PATH_OCTETS} octets, and ${show(control)} is the control socket`,
    };
  for (const [index, listener] of file.listener.entries()) {
    const at = (key: string, text: string): Finding => ({ path: ['listener', index, key], text });
    const port = portOf(listener, platform);
    if (port === undefined && listener.path === undefined)
      yield at('port', `is missing: there is no default for ${listener.protocol}, which needs a port or a path`);
    if (listener.port !== undefined && listener.path !== undefined)
      yield at('path', 'is not allowed beside port: a listener has either a port or a path');
    else if (listener.path !== undefined) {
      const path = resolve(directory, listener.path);
      if (listener.address !== undefined)
        yield at('address', 'is not allowed beside path: a unix socket has no address');
      if (Buffer.byteLength(path) > MAX_SOCKET_PATH_OCTETS)
        yield at(
          'path',
          `${show(path)} is too long: a unix socket's path has at most ${MAX_SOCKET_PATH_OCTETS} octets`,
        );
      if (path === control) yield at('path', `${show(listener.path)} is not allowed: it is the control socket`);
      if (path === overQuota)
        yield at('path', `${show(listener.path)} is not allowed: lmtp-enable-overquota-delivery opens it`);
      if (path === lmtpd && listener.protocol !== 'lmtp')
        yield at('path', `${show(listener.path)} is not allowed: it is LMTP's socket`);
    }
    if (listener.path === undefined && listener.mode !== undefined)
      yield at('mode', 'is not allowed without path: it is of a unix socket');
    yield* wrongPolicies(listener).map(([key, text]) => at(key, text));
    const text = wrongTls(listener, file.tls !== undefined);
    if (text !== undefined) yield at('tls', text);
    const rival = file.listener.findIndex(
      (other, before) => before < index && clash(other, listener, directory, platform),
    );
    if (rival >= 0)
      yield at(listener.path === undefined ? 'port' : 'path', `is taken already by listener#${rival + 1}`);
  }
}

/** The port as written or the default; undefined for a unix socket, or where there is no default. */
const portOf = ({ path, port, protocol, tls }: WrittenListener, platform: string): number | undefined =>
  path === undefined ? (port ?? defaultPort(protocol, tls, platform)) : undefined;

/** Whom a listener lets in. Who reaches a unix socket was let in by its file's mode, and has no address. */
function wrongPolicies(listener: WrittenListener): readonly (readonly [key: string, text: string])[] {
  const isRequired = listener['proxy-protocol'] === 'required';
  const isPort = listener.path === undefined;
  const wrong: [string, string][] = [];
  if (isRequired && isPort && listener['proxy-trusted'] === undefined)
    wrong.push(['proxy-trusted', 'is missing: proxy-protocol = "required" needs to know whom to believe']);
  if (!isRequired && listener['proxy-trusted'] !== undefined)
    wrong.push(['proxy-trusted', 'is not allowed without proxy-protocol = "required"']);
  if (!isPort && listener['proxy-trusted'] !== undefined)
    wrong.push(['proxy-trusted', 'is not allowed beside path: a unix socket has no addresses']);
  const others = ['allow', 'allow-file', 'connections-per-address', 'connection-rate-per-address', 'limits-exempt'];
  for (const key of others)
    if (!isPort && !isRequired && listener[key as keyof WrittenListener] !== undefined)
      wrong.push([key, 'is not allowed beside path: a unix socket has no addresses']);
  return wrong;
}

function wrongTls({ tls, protocol, path }: WrittenListener, hasCertificate: boolean): string | undefined {
  if (tls === 'none') return undefined;
  if (path !== undefined)
    return `${show(tls)} is not allowed beside path: what crosses a unix socket stays in the machine`;
  if (tls === 'starttls' && protocol === 'poppwd')
    return '"starttls" is not allowed: poppwd has no command for it; must be "none" or "implicit"';
  return hasCertificate ? undefined : `${show(tls)} is not allowed without a certificate: [tls] is missing`;
}

/** `sun_path` of unix(7), less its closing NUL. */
const MAX_SOCKET_PATH_OCTETS = 107;

/** Would the second be refused by the system because of the first? Port 0 is a free one, each time another. */
function clash(a: WrittenListener, b: WrittenListener, directory: string, platform: string): boolean {
  if (a.path !== undefined && b.path !== undefined) return resolve(directory, a.path) === resolve(directory, b.path);
  const [aPort, bPort] = [portOf(a, platform), portOf(b, platform)];
  if (aPort === undefined || aPort === 0 || aPort !== bPort) return false;
  const [one, other] = [canonical(a.address ?? DEFAULT_ADDRESS), canonical(b.address ?? DEFAULT_ADDRESS)];
  if (one === other || one === '::' || other === '::') return true; // `::` takes IPv4 too
  return (one === '0.0.0.0' && !other.includes(':')) || (other === '0.0.0.0' && !one.includes(':'));
}

export const DEFAULT_ADDRESS = '127.0.0.1';

/** One spelling for each IP address: `0:0::1` is `::1`. */
function canonical(address: string): string {
  if (!address.includes(':') || !URL.canParse(`http://[${address}]/`)) return address; // a zone (`%eth0`) stays as written
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function* ofNats(nats: NonNullable<ConfigFile['nats']>): Generator<Finding> {
  const pairs = [
    ['user', 'password-file'],
    ['tls-certificate-file', 'tls-key-file'],
  ] as const;
  for (const [one, other] of pairs) {
    if (nats[one] !== undefined && nats[other] === undefined)
      yield { path: ['nats', other], text: `is missing: ${one} needs it` };
    if (nats[one] === undefined && nats[other] !== undefined)
      yield { path: ['nats', one], text: `is missing: ${other} needs it` };
  }
  if (nats['credentials-file'] !== undefined && nats.user !== undefined)
    yield { path: ['nats', 'user'], text: 'is not allowed beside credentials-file' };
}

function* ofTls(tls: NonNullable<ConfigFile['tls']>): Generator<Finding> {
  const wanted = tls['client-certificates'] === 'request';
  if (wanted && tls['client-ca-file'] === undefined)
    yield { path: ['tls', 'client-ca-file'], text: 'is missing: client-certificates = "request" needs it' };
  if (!wanted && tls['client-ca-file'] !== undefined)
    yield {
      path: ['tls', 'client-ca-file'],
      text: 'is not allowed with client-certificates = "none": nobody is asked for a certificate',
    };
  const homes = new Map<string, number>();
  for (const [index, { names }] of tls.name.entries())
    for (const name of names.map((each) => each.toLowerCase())) {
      const before = homes.get(name);
      if (before !== undefined)
        yield {
          path: ['tls', 'name', index, 'names'],
          text: `${show(name)} is named already by tls.name#${before + 1}`,
        };
      else homes.set(name, index);
    }
}
