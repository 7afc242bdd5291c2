/** The memory store passes the contract. */
import { test } from 'uvu';
import { memoryStore } from '../../store/memory-store.ts';
import { FORMAT_VERSION } from '../../store/tables.ts';
import { storeContract } from './store-contract.ts';

storeContract('memory', async () => {
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const store = memoryStore({ storeId: 'm', mailHost: 'n1', formatVersion: FORMAT_VERSION }, settle);
  return { store, end: () => store.close() };
});

test.run();
