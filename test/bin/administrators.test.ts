/** Who administers mailboxes: all accounts of a domain, and those that are named (I-41). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { administratorsOf } from '../../bin/administrators.ts';
import type { Config } from '../../config/schema.ts';

const is = (imap: Partial<Config['imap']>) => administratorsOf({ imap: imap as Config['imap'] });

test('nobody, where nobody is named', () => assert.not(is({})('root@example.test')));

test('every account of the domain, and of no domain that only ends like it', () => {
  const isAdministrator = is({ adminDomain: 'Admin.example.test' });
  assert.ok(isAdministrator('joe@admin.example.test'));
  assert.not(isAdministrator('joe@example.test'));
  assert.not(isAdministrator('joe@evil-admin.example.test'));
});

test('accounts by their names, in any case', () => {
  const isAdministrator = is({ administrators: ['Root@example.test'] });
  assert.ok(isAdministrator('root@example.test'));
  assert.not(isAdministrator('uproot@example.test'));
});

test.run();
