/** The POP3 transcripts, over memory and over a socket, at every pace. */
import { test } from 'uvu';
import { overMemory, overSocket, paces, play, transcripts } from '../../support/transcript.ts';
import { fakeHouse, pop3 } from './fake-services.ts';

for (const transcript of transcripts('pop3'))
  for (const pace of paces)
    for (const [wire, over] of [
      ['memory', overMemory],
      ['a socket', overSocket],
    ] as const)
      test(`${transcript.name}, ${pace}, over ${wire}`, async () => {
        const played = await over(pop3(fakeHouse().services));
        try {
          await play(transcript, played.client, pace);
        } finally {
          await played.close();
        }
      });

test.run();
