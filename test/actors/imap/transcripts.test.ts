/** The IMAP transcripts against real owners: over memory at every pace, and over a socket. */
import { test } from 'uvu';
import { overMemory, overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { house } from './house.ts';

for (const transcript of transcripts('imap'))
  for (const [pace, wire, over] of [
    ...paces.map((each) => [each, 'memory', overMemory] as const),
    ['pipelined', 'a socket', overSocket] as const,
  ])
    test(`${transcript.name}, ${pace}, over ${wire}`, async () => {
      const home = await house();
      const played = await over(home.protocol());
      try {
        await play(transcript, played.client, pace);
      } finally {
        await played.close();
        await home.stop();
      }
    });

test.run();
