/**
 * What is kept of a password, and how one is held against it: SCRAM-SHA-256 keys (RFC 5802 §3, RFC 7677 §3) and the APOP
 * digest (RFC 1939 §7). Knows no account and no directory; never logs.
 *
 * A password is prepared by SASLprep (RFC 5802 §2.2) and hashed as UTF-8. One that SASLprep prohibits can't be set, and
 * when offered it is hashed as it stands, so that a wrong password costs the same whatever is in it.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Credential } from '../../cluster/directory/account.ts';
import { saslprep } from './saslprep.ts';

/** A credential that has not yet got its revision: the directory's change gives it. */
export type NewCredential = Omit<Credential, 'revision'>;

export type CredentialOptions = {
  /** PBKDF2 rounds for new credentials; RFC 7677 §4 wants at least 4096. */
  readonly iterations: number;
  /** Keeps the password itself too, for mechanisms that need it (APOP); the directory seals it where it is stored. */
  readonly keepPlain: boolean;
};

const SALT_OCTETS = 16;
const KEY_OCTETS = 32;

/** In libuv's thread pool: the loop goes on while a password is hashed. */
const derive = promisify(pbkdf2);

/** May this be set as a password? Not when empty, and not with characters that RFC 4013 §2.3 prohibits. */
export function isAcceptableSecret(secret: string): boolean {
  const prepared = saslprep(secret);
  return prepared !== undefined && prepared !== '';
}

/** @throws RangeError when the secret is not acceptable: ask `isAcceptableSecret` first */
export async function makeCredential(secret: string, options: CredentialOptions): Promise<NewCredential> {
  if (!isAcceptableSecret(secret)) throw new RangeError('not an acceptable password');
  const salt = randomBytes(SALT_OCTETS);
  const { storedKey, serverKey } = await scramKeys(secret, salt, options.iterations);
  const scram = {
    iterations: options.iterations,
    salt: salt.toString('base64'),
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  };
  return options.keepPlain ? { scram, plain: secret } : { scram };
}

/**
 * A credential that nothing matches. An unknown name is held against it, so that it costs what a wrong password costs
 * and no clock tells who has an account.
 */
export function decoyCredential(options: CredentialOptions): NewCredential {
  const random = (octets: number) => randomBytes(octets).toString('base64');
  const scram = {
    iterations: options.iterations,
    salt: random(SALT_OCTETS),
    storedKey: random(KEY_OCTETS),
    serverKey: random(KEY_OCTETS),
  };
  return { scram, plain: random(KEY_OCTETS) };
}

/**
 * Is this the password? One that could not have been set never is, though it costs the same: to HMAC, and so to PBKDF2,
 * a key and the key with a NUL after it are one (HMAC pads its key with zeros).
 */
export async function matchesSecret(credential: NewCredential, secret: string): Promise<boolean> {
  const { salt, iterations, storedKey } = credential.scram;
  const keys = await scramKeys(secret, Buffer.from(salt, 'base64'), iterations);
  return equal(keys.storedKey, Buffer.from(storedKey, 'base64')) && isAcceptableSecret(secret);
}

/**
 * Is this the digest of timestamp and password (RFC 1939 §7)? Clients hash octets as they were typed, of which RFC 1939
 * knows no preparation: taken are the UTF-8 of the password as it was set and of what SASLprep makes of it, both of which
 * are this password to PASS as well. One typed in a third form (another keyboard's accents) can't be known by its digest.
 * Without a kept password the digest of nothing anyone knows is compared, and refused.
 */
export function matchesApop(credential: NewCredential, timestamp: string, digest: string): boolean {
  const secret = credential.plain ?? randomBytes(KEY_OCTETS).toString('base64');
  const offered = Buffer.from(digest, 'utf8');
  const isDigestOf = (text: string) => {
    const expected = createHash('md5').update(timestamp, 'utf8').update(text, 'utf8').digest('hex');
    return equal(offered, Buffer.from(expected, 'utf8'));
  };
  const [asSet, prepared] = [isDigestOf(secret), isDigestOf(saslprep(secret) ?? secret)]; // both, always: in the same time
  return (asSet || prepared) && credential.plain !== undefined;
}

/** `SaltedPassword := Hi(Normalize(password), salt, i)`, and the two keys that follow from it (RFC 5802 §3). */
async function scramKeys(secret: string, salt: Uint8Array, iterations: number) {
  const salted = await derive(Buffer.from(saslprep(secret) ?? secret, 'utf8'), salt, iterations, KEY_OCTETS, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return {
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  };
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
