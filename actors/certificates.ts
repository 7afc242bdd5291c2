/**
 * The certificates that listeners show: read from their files, chosen by the name that the client calls (RFC 6066 §3), and
 * read again when the files change. New handshakes get the new ones; connections that stand are left alone.
 *
 * Knows files and keys, no socket. What is broken at the start is thrown; what breaks later is logged, and the old stays.
 */
import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Log } from '../telemetry/log.ts';

export type Pair = { readonly certificateFile: string; readonly keyFile: string };

export type CertificateRules = Pair & {
  readonly minimumVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCertificates: 'none' | 'request';
  /** Whose certificates of clients are known; there when they are requested. */
  readonly clientCaFile?: string | undefined;
  /** For clients that call by other names, in lower case; `*.example.test` is any one label below (RFC 6125 §6.4.3). */
  readonly names: readonly (Pair & { readonly names: readonly string[] })[];
};

/** A certificate, key or authority that can't be used. The message begins with its file, and is for the operator. */
export class CertificateFault extends Error {
  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.name = 'CertificateFault';
  }
}

type Loaded = {
  readonly context: SecureContext;
  readonly authorities: readonly X509Certificate[];
  readonly notAfter: string;
  /** Of the files as they were read. */
  readonly stamp: string;
};
type Entry = {
  readonly pair: Pair;
  loaded: Loaded;
  /** Files that changed into something that can't be used. */
  broken?: { readonly stamp: string; readonly fault: Error; isSaid: boolean };
};

/** How often the files are looked at. Watching them instead misses what editors, links and network mounts do. */
const LOOK_MS = 2000;
const DAY_MS = 86_400_000;
/** From then on the end is near: whoever renews by themselves does so twice as early, so something is wrong. */
const SOON_DAYS = 14;

export class Certificates {
  readonly #rules: CertificateRules;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byName: ReadonlyMap<string, Entry>;
  readonly #main: Entry;
  #timer: Timer | undefined;
  #daily: Timer | undefined;
  /** One look after the other. */
  #looked: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(rules: CertificateRules, entries: readonly Entry[], clock: Clock, log: Log) {
    this.#rules = rules;
    this.#clock = clock;
    this.#log = log;
    this.#main = entries[0]!;
    this.#byName = new Map(rules.names.flatMap(({ names }, at) => names.map((name) => [name, entries[at + 1]!])));
    this.#mindAllExpiries();
    this.#lookLater();
  }

  /** @throws CertificateFault for the first file that can't be used */
  static async open(rules: CertificateRules, { clock, log }: { clock: Clock; log: Log }): Promise<Certificates> {
    const entries: Entry[] = [];
    for (const pair of [rules, ...rules.names]) entries.push({ pair, loaded: await load(pair, rules) });
    return new Certificates(rules, entries, clock, log);
  }

  get requestsClients(): boolean {
    return this.#rules.clientCertificates === 'request';
  }

  /** For a client that calls nobody by name, or one who is not here: it sees for itself whether that will do. */
  get main(): SecureContext {
    return this.#main.loaded.context;
  }

  contextFor(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const entry = this.#byName.get(name) ?? this.#byName.get(name.replace(/^[^.]*/, '*')) ?? this.#main;
    return entry.loaded.context;
  }

  /** Did one of the authorities of `clientCaFile` itself issue this certificate, and is it valid today? */
  knowsClient(certificate: X509Certificate): boolean {
    const now = this.#clock.wall();
    if (now < Date.parse(certificate.validFrom) || now > Date.parse(certificate.validTo)) return false;
    return this.#main.loaded.authorities.some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
  }

  /** Reads again what has changed. Happens by itself every two seconds. */
  look(): Promise<void> {
    this.#looked = this.#looked.then(() => this.#lookAtAll());
    return this.#looked;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#daily?.cancel();
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.after(LOOK_MS, () => void this.look().then(() => this.#lookLater()));
  }

  async #lookAtAll(): Promise<void> {
    for (const entry of this.#entries()) await this.#lookAt(entry);
  }

  async #lookAt(entry: Entry): Promise<void> {
    const stamp = await stampOf(filesOf(entry.pair, this.#rules));
    if (stamp === entry.loaded.stamp) delete entry.broken;
    else await this.#replace(entry, stamp); // what is broken too: it may have been a passing fault
  }

  async #replace(entry: Entry, stamp: string): Promise<void> {
    try {
      entry.loaded = await load(entry.pair, this.#rules);
      delete entry.broken;
      this.#log.info('a certificate was replaced: new connections get it', {
        file: entry.pair.certificateFile,
        notAfter: entry.loaded.notAfter,
      });
      this.#mindExpiry(entry.loaded, entry.pair);
    } catch (fault) {
      if (stamp === entry.broken?.stamp) this.#complain(entry.broken);
      else entry.broken = { stamp, fault: fault as Error, isSaid: false };
    }
  }

  /** Not at first sight: of two files, one is always replaced before the other. */
  #complain(broken: NonNullable<Entry['broken']>): void {
    if (broken.isSaid) return;
    broken.isSaid = true;
    this.#log.error('a certificate was replaced by what cannot be used: the old one stays', {
      reason: broken.fault.message,
    });
  }

  #entries(): ReadonlySet<Entry> {
    return new Set([this.#main, ...this.#byName.values()]);
  }

  /** At the start, then once a day. */
  #mindAllExpiries(): void {
    for (const { loaded, pair } of this.#entries()) this.#mindExpiry(loaded, pair);
    this.#daily = this.#clock.after(DAY_MS, () => this.#mindAllExpiries());
  }

  #mindExpiry({ notAfter }: Loaded, { certificateFile }: Pair): void {
    const leftMs = Date.parse(notAfter) - this.#clock.wall();
    if (leftMs <= 0) this.#log.warn('a certificate has expired', { file: certificateFile, notAfter });
    else if (leftMs <= SOON_DAYS * DAY_MS)
      this.#log.warn('a certificate expires soon', {
        file: certificateFile,
        notAfter,
        daysLeft: Math.floor(leftMs / DAY_MS),
      });
  }
}

const filesOf = ({ certificateFile, keyFile }: Pair, { clientCaFile }: CertificateRules): readonly string[] =>
  clientCaFile === undefined ? [certificateFile, keyFile] : [certificateFile, keyFile, clientCaFile];

/** Another whenever a file is another: replaced, renamed over, linked elsewhere, written in place, made readable, gone. */
async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    return found === undefined
      ? 'missing'
      : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
  });
  return (await Promise.all(stamps)).join(' ');
}

async function load(pair: Pair, rules: CertificateRules): Promise<Loaded> {
  const stamp = await stampOf(filesOf(pair, rules)); // before the reading: what changes during it is then seen as changed
  const certificate = await read(pair.certificateFile);
  const key = await read(pair.keyFile);
  const first = certificateIn(certificate, pair.certificateFile);
  if (!first.checkPrivateKey(keyIn(key, pair.keyFile)))
    throw new CertificateFault(
      pair.keyFile,
      `this private key does not belong to the certificate in ${pair.certificateFile}`,
    );
  const ca = rules.clientCaFile === undefined ? undefined : await read(rules.clientCaFile);
  const authorities = ca === undefined ? [] : authoritiesIn(ca, rules.clientCaFile!);
  try {
    const context = createSecureContext({
      cert: certificate,
      key,
      minVersion: rules.minimumVersion,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION, // each would cost us far more than the client that asks for it
      sessionIdContext: 'homing', // without one, a resumed session of a client that shows a certificate is refused
      ...(ca !== undefined && { ca }),
    });
    return { context, authorities, notAfter: first.validTo, stamp };
  } catch (fault) {
    throw new CertificateFault(pair.certificateFile, `cannot be used: ${(fault as Error).message}`);
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (fault) {
    const { code, message } = fault as NodeJS.ErrnoException;
    throw new CertificateFault(file, `cannot be read (${code ?? message})`);
  }
}

function certificateIn(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new CertificateFault(file, 'holds no PEM certificate');
  }
}

function keyIn(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CertificateFault(file, 'holds no PEM private key, or one that wants a passphrase');
  }
}

function authoritiesIn(pem: Buffer, file: string): readonly X509Certificate[] {
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new CertificateFault(file, 'holds no PEM certificate');
  return blocks.map((block) => certificateIn(Buffer.from(block), file));
}
