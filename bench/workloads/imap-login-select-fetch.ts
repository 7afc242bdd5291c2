/** A whole IMAP session as a client makes it that looks for news: LOGIN, SELECT, what a list of twenty messages shows, LOGOUT. */
import { ImapClient } from '../clients/imap.ts';
import { fillInboxes, sampleMessage, type Workload } from './workload.ts';

const MESSAGES = 20;

export const imapLoginSelectFetch: Workload = {
  clients: 50,
  unit: 'sessions',
  unitsPerOperation: 1,
  async prepare(place) {
    const { imap, accounts } = place;
    await fillInboxes(place, MESSAGES, (number) => sampleMessage(10_000, number));
    return {
      operation: async (client) => {
        const { name, secret } = accounts[client]!;
        const session = await ImapClient.connect(imap);
        try {
          await session.logIn(name, secret);
          await session.ok('SELECT INBOX');
          const { untagged } = await session.ok('FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE ENVELOPE)');
          if (untagged.length !== MESSAGES) throw new Error(`${untagged.length} messages were fetched`);
          await session.logOut();
        } finally {
          session.close();
        }
      },
      end: async () => {},
    };
  },
};
