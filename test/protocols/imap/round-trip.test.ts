/** What a client prints is what the decoder reads: each command in each of its forms, in every cut. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImapDecoder } from '../../../protocols/imap/decoder.ts';
import { cut, octetsOf, pieces, someCuts } from '../../properties/cuts.ts';
import { anyCommand, choices, picker, plain, printCommand } from './print-command.ts';

/** Commands only; each continuation request is granted. */
function commands(chunks: Iterable<Uint8Array>): unknown[] {
  const read: unknown[] = [];
  const decoder = new ImapDecoder();
  decoder.authenticated();
  for (const piece of pieces(decoder, chunks)) {
    if (piece.kind !== 'command') throw new Error(`${piece.kind} out of nowhere`);
    if (piece.command.type !== 'continue') read.push(plain(piece.command));
  }
  return read;
}

test('every command that is printed parses back to itself', () => {
  fc.assert(
    fc.property(anyCommand, choices, (command, from) => {
      const wire = printCommand(command, picker(from));
      assert.equal(commands([octetsOf(wire)]), [plain(command)], JSON.stringify(wire));
    }),
    { numRuns: 3000 },
  );
});

test('commands pipelined in one push, or cut anywhere, are the same commands', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 6 }), choices, someCuts, (several, from, cuts) => {
      const pick = picker(from);
      const wire = octetsOf(several.map((command) => printCommand(command, pick)).join(''));
      const expected = several.map(plain);
      assert.equal(commands([wire]), expected);
      assert.equal(commands(cut(wire, cuts)), expected);
    }),
    { numRuns: 300 },
  );
});

test.run();
