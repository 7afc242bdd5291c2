/** Certificates: read, chosen by name, read again when their files change, refused when they are broken. */
import { X509Certificate } from 'node:crypto';
import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CertificateFault, type Pair } from '../../actors/certificates.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { CertificateDirectory, openCertificates, type Pem, pem, rulesFor } from '../support/certificates.ts';
import { manualClock } from './manual-clock.ts';

const directory = new CertificateDirectory();
const pems: Record<'one' | 'two' | 'wild', Pem> = {} as Record<'one' | 'two' | 'wild', Pem>;
test.before(async () => {
  for (const name of ['one', 'two', 'wild'] as const) pems[name] = await pem(`${name}.example.test`);
});
test.after(() => directory.remove());

/** Fresh files of a certificate, under a name of their own. */
let count = 0;
const place = (of: Pem): Pair => directory.write(`c${++count}`, of);

function recorded() {
  const lines: { level: string; message: string; fields: object | undefined }[] = [];
  const write = (level: string) => (message: string, fields?: object) => lines.push({ level, message, fields });
  const log: Log = { ...silentLog, info: write('info'), warn: write('warn'), error: write('error') };
  return { log, lines };
}

async function faultOf(pair: Pair, more = {}): Promise<string> {
  try {
    (await openCertificates(rulesFor(pair, more))).close();
  } catch (fault) {
    assert.instance(fault, CertificateFault);
    return (fault as Error).message;
  }
  return 'none';
}

test('the certificate is that of the name called: exact before wildcard, one label only, in any case', async () => {
  const [main, two, wild] = [place(pems.one), place(pems.two), place(pems.wild)];
  const certificates = await openCertificates(
    rulesFor(main, {
      names: [
        { ...wild, names: ['*.example.test'] },
        { ...two, names: ['two.example.test', 'pop.example.net'] },
      ],
    }),
  );
  const chosen = (name: string): SecureContext => certificates.contextFor(name);
  const [ofTwo, ofWild] = [chosen('two.example.test'), chosen('any.example.test')];
  assert.is.not(ofTwo, certificates.main);
  assert.is.not(ofWild, certificates.main);
  assert.is.not(ofWild, ofTwo);
  assert.is(chosen('POP.Example.Net'), ofTwo);
  for (const name of ['example.test', 'a.b.example.test', 'other.example.net', '', '.', '*'])
    assert.is(chosen(name), certificates.main, name);
  certificates.close();
});

test('what cannot be used is said with its file and its reason', async () => {
  const good = place(pems.one);
  const other = place(pems.two);
  const junk = directory.file('junk');
  writeFileSync(junk, 'no PEM at all\n');
  const missing = directory.file('missing.pem');
  assert.is(
    await faultOf({ ...good, keyFile: other.keyFile }),
    `${other.keyFile}: this private key does not belong to the certificate in ${good.certificateFile}`,
  );
  assert.is(await faultOf({ ...good, certificateFile: junk }), `${junk}: holds no PEM certificate`);
  assert.is(
    await faultOf({ ...good, keyFile: junk }),
    `${junk}: holds no PEM private key, or one that wants a passphrase`,
  );
  assert.is(await faultOf({ ...good, certificateFile: missing }), `${missing}: cannot be read (ENOENT)`);
  assert.is(await faultOf(good, { clientCaFile: junk }), `${junk}: holds no PEM certificate`);
  assert.match(await faultOf(good, { names: [{ ...other, keyFile: good.keyFile, names: ['x.test'] }] }), good.keyFile);
  assert.is(await faultOf(good), 'none');
});

test('replaced files are seen, whether renamed over, written in place or linked elsewhere', async () => {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const { log, lines } = recorded();
  const pair = place(pems.one);
  const certificates = await openCertificates(rulesFor(pair), { clock, log });
  const replacedBy = async (act: () => void): Promise<void> => {
    const before = certificates.main;
    act();
    await certificates.look();
    assert.is.not(certificates.main, before);
  };
  await certificates.look();
  assert.equal(lines, [], 'what is as it was is left alone');
  await replacedBy(() => {
    directory.put(pair.keyFile, pems.two.key);
    directory.put(pair.certificateFile, pems.two.certificate);
  });
  await replacedBy(() => {
    writeFileSync(pair.keyFile, pems.wild.key);
    writeFileSync(pair.certificateFile, pems.wild.certificate);
    utimesSync(pair.certificateFile, 1, 1); // some file systems tell times apart only by milliseconds
  });
  const target = place(pems.one);
  await replacedBy(() => {
    for (const [link, to] of [
      [pair.keyFile, target.keyFile],
      [pair.certificateFile, target.certificateFile],
    ] as const) {
      rmSync(link);
      symlinkSync(to, link);
    }
  });
  assert.equal(
    lines.map(({ level, message }) => `${level}: ${message}`),
    Array(3).fill('info: a certificate was replaced: new connections get it'),
  );
  certificates.close();
});

test('the clock alone makes it look', async () => {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  let seen: () => void = () => {};
  const replaced = new Promise<void>((resolve) => (seen = resolve));
  const pair = place(pems.one);
  const certificates = await openCertificates(rulesFor(pair), { clock, log: { ...silentLog, info: () => seen() } });
  const first = certificates.main;
  directory.put(pair.keyFile, pems.two.key);
  directory.put(pair.certificateFile, pems.two.certificate);
  assert.is(certificates.main, first);
  clock.advance(2000);
  await replaced;
  assert.is.not(certificates.main, first);
  certificates.close();
});

test('a broken pair is an error said once, and only when it stays; the old one is kept until it is mended', async () => {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const { log, lines } = recorded();
  const pair = place(pems.one);
  const certificates = await openCertificates(rulesFor(pair), { clock, log });
  const before = certificates.main;
  directory.put(pair.certificateFile, pems.two.certificate);
  await certificates.look();
  assert.equal(lines, [], 'the key may be on its way');
  for (let again = 0; again < 3; again += 1) await certificates.look();
  assert.is(certificates.main, before);
  assert.equal(lines, [
    {
      level: 'error',
      message: 'a certificate was replaced by what cannot be used: the old one stays',
      fields: {
        reason: `${pair.keyFile}: this private key does not belong to the certificate in ${pair.certificateFile}`,
      },
    },
  ]);
  rmSync(pair.keyFile);
  for (let again = 0; again < 3; again += 1) await certificates.look();
  assert.is(certificates.main, before);
  assert.equal(lines[1]?.fields, { reason: `${pair.keyFile}: cannot be read (ENOENT)` });
  directory.put(pair.keyFile, pems.two.key);
  await certificates.look();
  assert.is.not(certificates.main, before);
  assert.is(lines[2]?.level, 'info');
  certificates.close();
});

test('an expired certificate is used, with a warning', async () => {
  const { log, lines } = recorded();
  const pair = place(await pem('old.example.test', { notAfter: new Date('2021-01-01T00:00:00Z') }));
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  (await openCertificates(rulesFor(pair), { clock, log })).close();
  assert.equal(
    lines.map(({ level, message }) => `${level}: ${message}`),
    ['warn: a certificate has expired'],
  );
});

test('a certificate within fourteen days of its end is said once a day, until it is replaced or over', async () => {
  const DAY_MS = 86_400_000;
  const end = Date.parse('2026-06-30T00:00:00Z');
  const clock = manualClock(end - 16 * DAY_MS - 1);
  const { log, lines } = recorded();
  const [main, other] = [
    place(pems.one),
    place(await pem('two.example.test', { notAfter: new Date('2026-06-30T00:00:00Z') })),
  ];
  const names = [{ ...other, names: ['two.example.test', 'also.example.test'] }];
  const certificates = await openCertificates(rulesFor(main, { names }), { clock, log });
  const saidInADay = () => {
    const before = lines.length;
    clock.advance(DAY_MS);
    return lines
      .slice(before)
      .map(({ message, fields }) => `${message}: ${(fields as { daysLeft?: number }).daysLeft}`);
  };
  assert.equal(lines, []);
  assert.equal(saidInADay(), [], 'fifteen days and a moment are left');
  assert.equal(saidInADay(), [], 'fourteen and a moment');
  for (let left = 13; left >= 0; left -= 1) assert.equal(saidInADay(), [`a certificate expires soon: ${left}`]);
  assert.equal(saidInADay(), ['a certificate has expired: undefined']);
  assert.equal(saidInADay(), ['a certificate has expired: undefined']);
  assert.is((lines[0]!.fields as { file: string }).file, other.certificateFile);
  directory.put(other.keyFile, pems.two.key);
  directory.put(other.certificateFile, pems.two.certificate);
  await certificates.look();
  assert.equal(saidInADay(), []);
  certificates.close();
  const afterwards = lines.length;
  clock.advance(10 * DAY_MS);
  assert.is(lines.length, afterwards);
});

test("a client's certificate is known when one of the authorities issued it and it is valid today", async () => {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const [ours, theirs] = [
    await pem('Our Authority', { isAuthority: true }),
    await pem('Their Authority', { isAuthority: true }),
  ];
  const file = directory.file('clients-ca.pem');
  writeFileSync(file, `${(await pem('Another', { isAuthority: true })).certificate}\n${ours.certificate}`);
  const rules = rulesFor(place(pems.one), { clientCertificates: 'request', clientCaFile: file });
  const certificates = await openCertificates(rules, { clock });
  const isKnown = async (wanted: object): Promise<boolean> =>
    certificates.knowsClient(new X509Certificate((await pem('joe', wanted)).certificate));
  assert.is(certificates.requestsClients, true);
  assert.is(await isKnown({ issuer: ours }), true);
  assert.is(await isKnown({ issuer: theirs }), false);
  assert.is(await isKnown({}), false);
  assert.is(await isKnown({ issuer: ours, notAfter: new Date('2025-01-01T00:00:00Z') }), false);
  const impostor = await pem('Our Authority', { isAuthority: true });
  assert.is(await isKnown({ issuer: impostor }), false, 'an authority is known by its key, not by its name');
  certificates.close();
});

test.run();
