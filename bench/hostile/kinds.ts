/**
 * The kinds of hostile clients: what each says, and what it then must be told. A flood of connections is none of these, since
 * it takes many (attack.ts).
 */

import type { Protocol } from './reply-watch.ts';
import type { HostileSession, Kind } from './session.ts';

const ALL: readonly Protocol[] = ['pop3', 'lmtp', 'poppwd'];
const CHUNK = 64 * 1024;
/** One that costs the server next to nothing, is answered at any time, and with one reply. */
const CHEAP: Readonly<Record<Protocol, string>> = { pop3: 'NOOP\r\n', lmtp: 'NOOP\r\n', poppwd: 'HELP\r\n' };
const COMMAND: Readonly<Record<Protocol, string>> = {
  pop3: 'USER victim',
  lmtp: 'MAIL FROM:<sender@example.test',
  poppwd: 'USER victim',
};
const PIPELINED = 2000;
const OCTET_EVERY_MS = 100;

export const kinds: readonly Kind[] = [
  {
    name: 'random octets',
    protocols: ALL,
    async run(it) {
      const { socket, noise } = it;
      for (let left = 1 + noise.integer(20); left > 0; left--)
        await socket.write(noise.octets(1 + noise.integer(4096)));
      socket.finish();
      await it.mustBeClosed();
    },
  },
  {
    name: 'random lines',
    protocols: ALL,
    async run(it) {
      const { socket, noise, protocol } = it;
      for (let left = 1 + noise.integer(200); left > 0; left--) await socket.write(noise.line(protocol));
      socket.finish();
      await it.mustBeClosed();
    },
  },
  {
    name: 'endless line',
    protocols: ALL,
    async run(it) {
      await it.socket.write(`${COMMAND[it.protocol]} `);
      await endlessly(it, 'A', 16 + it.noise.integer(17));
      it.expect(await it.ask(''), 'no', 'an endless line');
      if (it.protocol !== 'lmtp') it.expect(await it.ask('QUIT'), 'yes', 'QUIT'); // LMTP closes: docs/smuggling.md
      await it.mustBeClosed();
    },
  },
  {
    name: 'NULs',
    protocols: ALL,
    async run(it) {
      for (const line of ['\0\0\0', `${COMMAND[it.protocol]}\0>`, '\0'.repeat(CHUNK)]) {
        it.expect(await it.ask(line), 'no', 'a line with NULs');
        if (it.socket.wasClosed) return; // LMTP may: docs/smuggling.md
      }
      const goodbye = await it.ask('QUIT');
      if (!it.socket.wasClosed) it.expect(goodbye, 'yes', 'QUIT');
      await it.mustBeClosed();
    },
  },
  {
    name: 'silence',
    protocols: ALL,
    run: (it) => it.mustBeClosed(),
  },
  {
    name: 'half-open at once',
    protocols: ALL,
    isHasty: true,
    async run(it) {
      it.socket.finish();
      await it.mustBeClosed();
    },
  },
  {
    name: 'reset in a command',
    protocols: ALL,
    async run(it) {
      await it.socket.write(COMMAND[it.protocol].slice(0, 1 + it.noise.integer(8)));
      await it.pause(it.noise.integer(200));
      it.socket.reset();
    },
  },
  {
    name: 'reset in a message',
    protocols: ['lmtp'],
    async run(it) {
      await it.address();
      it.expect(await it.ask('DATA'), 'yes', 'DATA');
      await it.socket.write(`Subject: cut off\r\n\r\n${'half a message\r\n'.repeat(1 + it.noise.integer(20_000))}`);
      await it.pause(it.noise.integer(200));
      it.socket.reset();
    },
  },
  {
    name: 'slow reader',
    protocols: ['pop3'],
    async run(it) {
      const { name, secret } = it.noise.pick(it.terms.victims);
      it.expect(await it.ask(`USER ${name}`), 'yes', 'USER');
      if ((await it.ask(`PASS ${secret}`)) !== 'yes') return; // in use, by another of these
      it.socket.stall();
      await it.socket.write('RETR 1\r\n'.repeat(20));
      await it.pause(it.terms.patienceMs);
      it.socket.reset();
    },
  },
  {
    name: 'replies unread',
    protocols: ALL,
    async run(it) {
      it.socket.stall();
      void it.socket.write(CHEAP[it.protocol].repeat(200_000)); // more than all buffers between us have room for
      await it.pause(it.terms.patienceMs);
      it.socket.reset();
    },
  },
  {
    name: 'slow writer',
    protocols: ALL,
    async run(it) {
      let isOver = false;
      const drip = async () => {
        for (const octet of COMMAND[it.protocol].padEnd(10_000, 'a')) {
          if (isOver) return;
          await it.socket.write(octet);
          await it.pause(OCTET_EVERY_MS);
        }
      };
      const dripping = drip();
      await it.mustBeClosed(); // a command that never comes is silence
      isOver = true;
      await dripping;
    },
  },
  {
    name: 'slow writer of a message',
    protocols: ['lmtp'],
    async run(it) {
      await it.address();
      it.expect(await it.ask('DATA'), 'yes', 'DATA');
      for (let left = it.terms.patienceMs / OCTET_EVERY_MS; left > 0; left--) {
        await it.socket.write('x');
        await it.pause(OCTET_EVERY_MS);
      }
      it.socket.leave();
    },
  },
  {
    name: 'pipelined flood',
    protocols: ALL,
    async run(it) {
      const before = it.socket.watch.replies;
      await it.socket.write(CHEAP[it.protocol].repeat(PIPELINED));
      await it.socket.write('QUIT\r\n');
      await it.mustBeClosed();
      it.expect(String(it.socket.watch.replies - before), String(PIPELINED + 1), 'so many commands');
    },
  },
  {
    name: 'BDAT and nothing behind',
    protocols: ['lmtp'],
    async run(it) {
      await it.address();
      await it.socket.write(
        it.noise.pick(['BDAT 99000000\r\n', 'BDAT 4000000000 LAST\r\n', 'BDAT 99000000\r\nSubject: x']),
      );
      await it.mustBeClosed();
    },
  },
  {
    name: 'BDAT beyond all numbers',
    protocols: ['lmtp'],
    async run(it) {
      await it.address();
      it.expect(await it.ask(`BDAT ${'9'.repeat(1 + it.noise.integer(1000)).padStart(21, '9')} LAST`), 'no', 'BDAT');
      await it.mustBeClosed();
    },
  },
  {
    name: 'SASL response without end',
    protocols: ['pop3'],
    async run(it) {
      it.expect(await it.ask('AUTH PLAIN'), 'yes', 'AUTH');
      await endlessly(it, 'AAAA', 16);
      it.expect(await it.ask(''), 'no', 'an endless response');
      it.expect(await it.ask('QUIT'), 'yes', 'QUIT');
      await it.mustBeClosed();
    },
  },
  {
    name: 'guessed passwords',
    protocols: ['pop3', 'poppwd'],
    async run(it) {
      const name = it.noise.pick([it.terms.victims[0]!.name, 'nobody@example.test']);
      for (let tries = 0; tries < 10 && !it.socket.wasClosed; tries++) {
        if ((await it.ask(`USER ${name}`)) !== 'yes') break;
        if ((await it.ask(`PASS ${it.noise.integer(1e9)}`)) === 'yes') it.complaints.push('let in by a guess');
      }
      await it.mustBeClosed();
    },
  },
  {
    name: 'PROXY header unasked for',
    protocols: ALL,
    async run(it) {
      const before = it.socket.watch.refusals;
      await it.socket.write(it.noise.pick([PROXY_V1, PROXY_V2]));
      it.socket.finish();
      await it.mustBeClosed();
      if (it.socket.watch.refusals === before) it.complaints.push('a PROXY header was not refused');
    },
  },
  {
    name: 'garbage after STARTTLS',
    protocols: ['pop3', 'lmtp'],
    async run(it) {
      await startTls(it);
      await it.socket.write(it.noise.pick([CHEAP[it.protocol].repeat(100), it.noise.octets(4096)]));
      it.socket.finish();
      await it.mustBeClosed();
    },
  },
  {
    name: 'handshake left after STARTTLS',
    protocols: ['pop3', 'lmtp'],
    async run(it) {
      await startTls(it);
      await leaveHandshake(it);
    },
  },
  { name: 'handshake left', protocols: ['pop3', 'poppwd'], isUnderTls: true, isHasty: true, run: leaveHandshake },
  {
    name: 'half a ClientHello',
    protocols: ['pop3', 'poppwd'],
    isUnderTls: true,
    isHasty: true,
    async run(it) {
      const { clientHello } = it.terms;
      await it.socket.write(clientHello.subarray(0, it.noise.integer(clientHello.length)));
      await it.pause(it.someMs());
      it.socket.finish();
      await it.mustBeClosed();
    },
  },
  {
    name: 'no TLS where TLS is',
    protocols: ['pop3', 'poppwd'],
    isUnderTls: true,
    isHasty: true,
    async run(it) {
      await it.socket.write(CHEAP[it.protocol].repeat(100));
      it.socket.finish();
      await it.mustBeClosed();
    },
  },
];

async function endlessly({ socket }: HostileSession, text: string, chunks: number): Promise<void> {
  const chunk = Buffer.from(text.repeat(CHUNK / text.length));
  for (let left = chunks; left > 0; left--) await socket.write(chunk);
}

async function startTls(it: HostileSession): Promise<void> {
  if (it.protocol === 'lmtp') it.expect(await it.ask('LHLO client.example.test'), 'yes', 'LHLO');
  const line = it.protocol === 'lmtp' ? 'STARTTLS' : 'STLS';
  it.expect(await it.ask(line), 'yes', line);
  it.socket.watch.expectTls();
}

/** Lets the server do its part, the dear one, and is gone. */
async function leaveHandshake(it: HostileSession): Promise<void> {
  const before = it.socket.octetsHeard;
  await it.socket.write(it.terms.clientHello);
  await it.socket.heardMoreThan(before);
  if (it.socket.octetsHeard === before) it.complaints.push('no answer to a ClientHello');
  await it.pause(it.someMs());
  if (it.noise.integer(2) === 0) it.socket.leave();
  else it.socket.reset();
}

const PROXY_V1 = 'PROXY TCP4 192.0.2.1 192.0.2.2 40110 110\r\n';
/** The signature, PROXY over TCP and IPv4, twelve octets of addresses. */
const PROXY_V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c0000202' + '9cae006e', 'hex');
