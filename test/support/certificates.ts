/** Certificates for tests, made on the spot: an authority, what it issues, and files to put them in. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { type CertificateRules, Certificates, type Pair } from '../../actors/certificates.ts';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';

export type Pem = { readonly certificate: string; readonly key: string };

export type Wanted = { readonly issuer?: Pem; readonly isAuthority?: boolean; readonly notAfter?: Date };

/** An elliptic-curve certificate of that common name; signed by itself unless an issuer is given. */
export async function pem(name: string, { issuer, isAuthority = false, notAfter }: Wanted = {}): Promise<Pem> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date('2020-01-01T00:00:00Z'),
    notAfterDate: notAfter ?? new Date('2049-01-01T00:00:00Z'),
    extensions: isAuthority
      ? [{ name: 'basicConstraints', cA: true, critical: true }]
      : [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    ...(issuer && { ca: { cert: issuer.certificate, key: issuer.key } }),
  });
  return { certificate: made.cert, key: made.private };
}

/** A directory of its own, to be removed at the end. */
export class CertificateDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'homing-certificates-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Puts both into place as certificate clients do: written beside it, then renamed over. */
  write(name: string, { certificate, key }: Pem): Pair {
    const pair = { certificateFile: this.file(`${name}.pem`), keyFile: this.file(`${name}.key`) };
    this.put(pair.certificateFile, certificate);
    this.put(pair.keyFile, key);
    return pair;
  }

  put(file: string, text: string): void {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const rulesFor = (pair: Pair, more: Partial<CertificateRules> = {}): CertificateRules => ({
  minimumVersion: 'TLSv1.2',
  clientCertificates: 'none',
  names: [],
  ...pair,
  ...more,
});

export const openCertificates = (
  rules: CertificateRules,
  { clock = systemClock, log = silentLog }: { clock?: Clock; log?: Log } = {},
): Promise<Certificates> => Certificates.open(rules, { clock, log });
