/** The log that tests look into. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryLog } from '../../telemetry/memory-log.ts';

test('what was logged is remembered, that of children too', () => {
  const log = memoryLog();
  log.info('a', { n: 1 });
  log.with({ session: 's' }).with({ n: 1 }).error('b', { n: 2 });
  assert.equal(log.entries, [
    { level: 'info', message: 'a', fields: { n: 1 } },
    { level: 'error', message: 'b', fields: { session: 's', n: 2 } },
  ]);
});

test('an entry can be waited for, before and after it came', async () => {
  const log = memoryLog();
  const coming = log.until(({ message }) => message === 'b');
  log.debug('a');
  log.warn('b', { n: 1 });
  log.warn('b', { n: 2 });
  assert.equal((await coming).fields, { n: 1 });
  assert.is((await log.until(({ level }) => level === 'debug')).message, 'a');
});

test.run();
