/** A whole POP3 session that only logs in: connect, USER, PASS, STAT, QUIT. Each client has an account of its own. */
import { Pop3Client } from '../clients/pop3.ts';
import type { Workload } from './workload.ts';

export const pop3Login: Workload = {
  clients: 50,
  prepare: async ({ pop3, accounts }) => ({
    unit: 'sessions',
    unitsPerOperation: 1,
    operation: async (client) => {
      const { name, secret } = accounts[client]!;
      const session = await Pop3Client.connect(pop3);
      try {
        await session.logIn(name, secret);
        await session.stat();
        await session.quit();
      } finally {
        session.close();
      }
    },
    end: async () => {},
  }),
};
