/** What a seed means: how many sessions and deeds, and what befalls the servers meanwhile. */
import { noLosses } from './far-bus.ts';
import { play } from './imap-game.ts';
import { houseOverNats, houseWithLinks, type ModelHouse } from './imap-house.ts';

const SIZE = { sessions: 8, deeds: 14, newsWithinMs: 10_000 };

/** Every fourth seed has owners that end and come back, another fourth loses answers and events. */
export async function gameWithLinks(seed: number): Promise<void> {
  const losesAnswers = seed % 4 === 3;
  const losses = losesAnswers ? { answersOneIn: 40, eventsOneIn: 0 } : noLosses;
  await playIn(await houseWithLinks(seed, losses), seed, seed % 4 === 2);
}

export async function gameOverNats(seed: number, address: string): Promise<void> {
  await playIn(await houseOverNats(address), seed, seed % 2 === 0);
}

async function playIn(house: ModelHouse, seed: number, takesOver: boolean): Promise<void> {
  let takingOver: Promise<void> = Promise.resolve();
  try {
    await play(
      {
        ...SIZE,
        seed,
        onDeed: (_, chance) => {
          if (takesOver && chance.oneIn(60)) takingOver = takingOver.then(() => house.takeOver());
        },
        settled: () => takingOver,
      },
      house,
    );
  } finally {
    await takingOver;
    await house.stop();
  }
}
