/** Whole messages of 100 kB, twenty by each FETCH, over connections that stay. */
import { fillInboxes, openInboxes, sampleMessage, type Workload } from './workload.ts';

const MESSAGES = 20;
const OCTETS = 100_000;

export const imapFetchBodies: Workload = {
  clients: 10,
  unit: 'MB',
  unitsPerOperation: (MESSAGES * sampleMessage(OCTETS, MESSAGES).length) / 1e6,
  async prepare(place) {
    await fillInboxes(place, MESSAGES, (number) => sampleMessage(OCTETS, number));
    const sessions = await openInboxes(place);
    return {
      operation: async (client) => {
        const { untagged } = await sessions[client]!.ok('FETCH 1:* BODY.PEEK[]');
        if (untagged.length !== MESSAGES) throw new Error(`${untagged.length} messages were fetched`);
      },
      end: async () => void (await Promise.all(sessions.map((session) => session.logOut()))),
    };
  },
};
