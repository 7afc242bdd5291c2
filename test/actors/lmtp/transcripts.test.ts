/** The LMTP transcripts, over memory and over a socket, at every pace. */
import { test } from 'uvu';
import { overMemory, overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { fakeHouse, lmtp } from './fake-services.ts';

for (const transcript of transcripts('lmtp'))
  for (const pace of paces)
    for (const [wire, over] of [
      ['memory', overMemory],
      ['a socket', overSocket],
    ] as const)
      test(`${transcript.name}, ${pace}, over ${wire}`, async () => {
        const played = await over(lmtp(fakeHouse().services));
        try {
          await play(transcript, played.client, pace);
        } finally {
          await played.close();
        }
      });

test.run();
