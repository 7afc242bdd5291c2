/**
 * The demo's certificate, signed by itself: for this machine's loopback names only, so that TLS can be tried at once. Real
 * ones come from an authority, and the configuration names their files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Clients refuse certificates that live longer (825 days is the most that some take). */
const LIFETIME_MS = 730 * 24 * 60 * 60 * 1000;

const DNS = 2;
const IP = 7;

/** Writes `cert.pem` and `key.pem` into the directory, which is made; the key for its owner only. */
export async function makeCertificate(directory: string): Promise<void> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + LIFETIME_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: DNS, value: 'localhost' },
          { type: IP, ip: '127.0.0.1' },
          { type: IP, ip: '::1' },
        ],
      },
    ],
  });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'key.pem'), made.private, { mode: 0o600 });
  writeFileSync(join(directory, 'cert.pem'), made.cert);
}
