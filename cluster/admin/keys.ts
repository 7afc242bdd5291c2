/**
 * The keys of signed admin messages (docs/admin.md): an operator's own, Ed25519 as a JWK (RFC 8037 §2); those that a node
 * knows, public ones in a JWK Set (RFC 7517 §5); and the pair by which nodes sign their answers, which comes from the
 * cluster key, so that every node has it and no operator.
 *
 * What is wrong with a file is a refusal in words, with no more of the file's content than a key's name.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import type { Clock } from '../../kernel/clock.ts';
import { accept, type Result, refuse } from '../../kernel/result.ts';

/** A public key as it stands in a file: nothing in it is secret. */
export type PublicJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string; readonly kid: string };
type PrivateJwk = PublicJwk & { readonly d: string };

/** Signs for the operator, or the cluster, of that name. */
export type SigningKey = { readonly kid: string; readonly key: KeyObject };
/** Public keys by `kid`. */
export type KeySet = ReadonlyMap<string, KeyObject>;

/** What a key may be called: it stands in logs and in files' names. */
export const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** 32 octets in base64url: RFC 8037 §2 for both curves. */
export const isOctets32 = (text: unknown): text is string =>
  typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text) && Buffer.from(text, 'base64url').length === 32;

const MAX_FILE_OCTETS = 256 * 1024;
/** PKCS #8 around 32 octets of an Ed25519 key (RFC 8410 §7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A new key: the text of its private file, and the public half. */
export function makeOperatorKey(
  kid: string,
  random: (octets: number) => Uint8Array = randomBytes,
): { readonly privateText: string; readonly publicJwk: PublicJwk } {
  const seed = random(32);
  const { x } = ofSeed(seed);
  const publicJwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x, kid };
  const whole: PrivateJwk = { ...publicJwk, d: Buffer.from(seed).toString('base64url') };
  return { privateText: `${JSON.stringify(whole)}\n`, publicJwk };
}

/** An operator's private key file; mode 0600 or less. */
export async function readOperatorKey(path: string): Promise<Result<SigningKey, string>> {
  const why = 'a private key may be open to its owner only (chmod 0600)';
  const text = await withFile(path, (file, found) => textIn(path, file, found, 0o077, why));
  if (!text.ok) return text;
  const jwk = parseJson(text.value);
  const wrong = wrongWithPublic(jwk);
  if (wrong !== undefined) return refuse(`${path}: ${wrong}`);
  const { kid, x, d } = jwk as PrivateJwk;
  if (!isOctets32(d)) return refuse(`${path}: has no private part ("d"); it is a public key`);
  const made = ofSeed(Buffer.from(d, 'base64url'));
  if (made.x !== x) return refuse(`${path}: its two halves do not belong together`);
  return accept({ kid, key: made.key });
}

/** The keys that a node takes messages of. One bad key refuses the file: half a list is not what its writer meant. */
export type ReadKeySet = () => Promise<Result<KeySet, string>>;

/**
 * Reads the list anew whenever the file is another or was changed. Whoever could write it, or put another in its place, would
 * be obeyed: so it must be the node's user's or root's, in a directory where no others write.
 */
export function keySetReader(path: string, clock: Clock, uid: number | undefined = process.geteuid?.()): ReadKeySet {
  let known: { readonly stamp: string; readonly keys: Result<KeySet, string> } | undefined;
  const read = async (file: FileHandle, found: BigIntStats): Promise<Result<KeySet, string>> => {
    const listed = await listIn(path, file, found);
    if (!listed.ok) return listed;
    return accept(new Map(listed.value.map((jwk) => [jwk.kid, importPublic(jwk)])));
  };
  return async () => {
    const safe = await placeOf(path, uid);
    if (!safe.ok) return safe;
    return withFile(path, async (file, found) => {
      if (uid !== undefined && !isOneOf(found.uid, uid))
        return refuse(
          `${path}: belongs to the user with id ${found.uid}; it must be root's or that of the node, ${uid}`,
        );
      const stamp = [found.dev, found.ino, found.size, found.mode, found.uid, found.mtimeNs, found.ctimeNs].join(' ');
      if (known?.stamp === stamp) return known.keys;
      const keys = await read(file, found);
      // A file's times are coarse: one that was changed just now may be changed again with no other time.
      const isSettled = clock.wall() - Number(found.ctimeMs) > SETTLED_MS;
      known = isSettled ? { stamp, keys } : undefined;
      return keys;
    });
  };
}

const SETTLED_MS = 2_000;

/** Where the list truly lies, others must not be able to put another in its place. */
async function placeOf(path: string, uid: number | undefined): Promise<Result<null, string>> {
  if (uid === undefined) return accept(null); // no users on this system
  try {
    const directory = dirname(await realpath(path));
    const { mode } = await stat(directory);
    const isSticky = (mode & 0o1000) !== 0; // there nobody replaces what is another's
    if ((mode & 0o022) === 0 || isSticky) return accept(null);
    return refuse(`${directory}: others than its owner may write there, and put another list in the place of ${path}`);
  } catch (error) {
    return refuse(unread(path, error));
  }
}

const isOneOf = (owner: bigint, uid: number): boolean => owner === BigInt(uid) || owner === 0n;

/** The same as JWKs, for whoever adds one; the node that reads it looks at more than its mode. */
export const readKeyList = (path: string): Promise<Result<readonly PublicJwk[], string>> =>
  withFile(path, (file, found) => listIn(path, file, found));

async function listIn(
  path: string,
  file: FileHandle,
  found: BigIntStats,
): Promise<Result<readonly PublicJwk[], string>> {
  const text = await textIn(path, file, found, 0o022, 'others than its owner may write to it (chmod 0644)');
  if (!text.ok) return text;
  const set = parseJson(text.value) as { keys?: unknown } | undefined;
  if (!Array.isArray(set?.keys)) return refuse(`${path}: is no JWK Set: {"keys": [...]} (RFC 7517 §5)`);
  const names = new Set<string>();
  for (const [at, jwk] of set.keys.entries()) {
    const wrong = wrongWithPublic(jwk) ?? ('d' in (jwk as object) ? 'holds a private key' : undefined);
    if (wrong !== undefined) return refuse(`${path}: key ${at + 1}: ${wrong}`);
    const { kid } = jwk as PublicJwk;
    if (names.has(kid)) return refuse(`${path}: key ${at + 1}: a key before it is called "${kid}" too`);
    names.add(kid);
  }
  return accept(set.keys as readonly PublicJwk[]);
}

/** A public key on a line of its own, as `homing admin keygen` prints it. */
export function parsePublicJwk(text: string): Result<PublicJwk, string> {
  const jwk = parseJson(text);
  const wrong = wrongWithPublic(jwk);
  if (wrong !== undefined) return refuse(wrong);
  if ('d' in (jwk as object)) return refuse('holds a private key: give the public line, which keygen prints');
  const { x, kid } = jwk as PublicJwk;
  return accept({ kty: 'OKP', crv: 'Ed25519', x, kid });
}

/** By its key id nodes' answers, and the cluster that a message is for, are told from those of any other cluster key. */
export type AnswerKeys = { readonly signing: SigningKey; readonly publicJwk: PublicJwk };

/** @param seed  `ClusterKeys.adminAnswers` */
export async function answerKeys(seed: Uint8Array): Promise<AnswerKeys> {
  const { key, x } = ofSeed(seed);
  const bare = { kty: 'OKP', crv: 'Ed25519', x } as const;
  const kid = await calculateJwkThumbprint(bare); // RFC 7638 §3
  return { signing: { kid, key }, publicJwk: { ...bare, kid } };
}

export const importPublic = ({ kty, crv, x }: PublicJwk): KeyObject =>
  createPublicKey({ key: { kty, crv, x }, format: 'jwk' });

function ofSeed(seed: Uint8Array): { readonly key: KeyObject; readonly x: string } {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
  return { key, x: createPublicKey(key).export({ format: 'jwk' }).x! };
}

function wrongWithPublic(jwk: unknown): string | undefined {
  if (typeof jwk !== 'object' || jwk === null) return 'is not a JWK';
  const { kty, crv, x, kid } = jwk as Readonly<Record<string, unknown>>;
  if (kty !== 'OKP' || crv !== 'Ed25519') return 'is no Ed25519 key ("kty": "OKP", "crv": "Ed25519")';
  if (typeof kid !== 'string' || !KEY_NAME.test(kid)) return 'has no name ("kid") of letters, digits and ._@-';
  if (!isOctets32(x)) return 'its public part ("x") is not 32 octets in base64url';
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of the open file: a swapped path can't pass the check for another. */
async function withFile<T>(
  path: string,
  read: (file: FileHandle, found: BigIntStats) => Promise<Result<T, string>>,
): Promise<Result<T, string>> {
  try {
    const file = await open(path, 'r');
    try {
      return await read(file, await file.stat({ bigint: true }));
    } finally {
      await file.close();
    }
  } catch (error) {
    return refuse(unread(path, error));
  }
}

async function textIn(
  path: string,
  file: FileHandle,
  { mode, size }: BigIntStats,
  forbidden: number,
  why: string,
): Promise<Result<string, string>> {
  const permissions = Number(mode) & 0o777;
  if ((permissions & forbidden) !== 0)
    return refuse(`${path}: mode is ${permissions.toString(8).padStart(4, '0')}; ${why}`);
  if (size > MAX_FILE_OCTETS) return refuse(`${path}: is too long for a file of keys`);
  return accept(await file.readFile('utf8'));
}

function unread(path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `${path}: ${code === 'ENOENT' ? 'no such file' : `can't be read (${code ?? message})`}`;
}
