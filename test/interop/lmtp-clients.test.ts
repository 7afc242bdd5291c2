/** LMTP as python3's smtplib and swaks speak it, in clear and by STARTTLS. Skipped where they, or swaks's TLS, are missing. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JOE, type Place, placeNames, SECRET, withPlace } from '../support/interop.ts';
import { hasProgram, runProgram, startsProgram } from '../support/programs.ts';
import { retrieveAll, subjectOf } from '../support/system.ts';

const python = startsProgram('python3', '--version') ? test : test.skip;
/** It needs Perl's Net::SSLeay for TLS, and says whether it has that. */
const swaksHasTls =
  hasProgram('swaks') && /^=== TLS supported$/m.test(String(spawnSync('swaks', ['--support']).stdout));
const swaks = swaksHasTls ? test : test.skip;

const SMTPLIB = `
import smtplib, ssl, sys
port, authority, joe = int(sys.argv[1]), sys.argv[2], sys.argv[3]
trust = ssl.create_default_context(cafile=authority)
for secured in (False, True):
    with smtplib.LMTP('localhost', port) as lmtp:
        lmtp.ehlo_or_helo_if_needed()
        assert lmtp.has_extn('starttls') and lmtp.has_extn('pipelining') and lmtp.has_extn('8bitmime'), lmtp.esmtp_features
        if secured:
            assert lmtp.starttls(context=trust)[0] == 220
            assert lmtp.sock.version() == 'TLSv1.3', lmtp.sock.version()
            lmtp.ehlo_or_helo_if_needed()
            assert not lmtp.has_extn('starttls'), lmtp.esmtp_features
        how = 'by STARTTLS' if secured else 'in clear'
        message = f'Subject: smtplib, {how}\\r\\n\\r\\n.dot\\r\\n'
        refused = lmtp.sendmail('me@example.test', [joe, 'nobody@example.test'], message)
        assert list(refused) == ['nobody@example.test'], refused
        assert refused['nobody@example.test'][0] == 550, refused
`;

const takes = (client: (place: Place) => Promise<void>, subjects: readonly string[]) => async (place: Place) => {
  await client(place);
  const mail = await retrieveAll(place.node.pop3, JOE, SECRET);
  assert.equal(mail.map(subjectOf), subjects);
  for (const each of mail) assert.match(each.toString(), /\r\n\r\n\.dot\r\n$/);
};

for (const where of placeNames()) {
  python(`python3's smtplib against ${where}`, () =>
    withPlace(
      where,
      takes(
        async ({ node, authorityFile }) => {
          const words = [String(node.ports.lmtp), authorityFile, JOE];
          const { status, err } = await runProgram(['python3', '-', ...words], { input: SMTPLIB });
          assert.is(status, 0, err);
        },
        ['smtplib, in clear', 'smtplib, by STARTTLS'],
      ),
    ),
  );

  swaks(`swaks against ${where}`, () =>
    withPlace(
      where,
      takes(
        async ({ node, authorityFile }) => {
          for (const [how, options] of [
            ['in clear', []],
            ['by STARTTLS', ['--tls', '--tls-verify', '--tls-ca-path', authorityFile]],
            ['pipelined', ['--pipeline']],
          ] as const) {
            const { status, all } = await runProgram([
              ...['swaks', '--protocol', 'LMTP', '--server', 'localhost', '--port', String(node.ports.lmtp)],
              ...['--from', 'me@example.test', '--to', JOE, '--timeout', '20', ...options],
              ...['--data', `Subject: swaks, ${how}\\n\\n.dot`],
            ]);
            assert.is(status, 0, all);
            if (how === 'by STARTTLS') assert.match(all, /TLS started with cipher TLSv1\.3/);
          }
        },
        ['swaks, in clear', 'swaks, by STARTTLS', 'swaks, pipelined'],
      ),
    ),
  );
}

test.run();
