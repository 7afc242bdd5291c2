/** `mailbox rights`: words that begin with a `-` are options, rights or refused, and never something else than they say. */

import { Command } from 'commander';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandError } from '../../bin/command-error.ts';
import { rightsCommand } from '../../bin/commands/mailbox.ts';
import type { Config } from '../../config/schema.ts';

/** What is asked, and of whom; the refusal's first line; or `usage`. Below two commands, as it is in the program. */
async function asked(...words: string[]): Promise<unknown> {
  let found: unknown;
  const rights = rightsCommand(async (file, use) => {
    await use(async (_verb, given) => {
      found = { file, ...given };
      return {};
    }, {} as Config);
  });
  const program = new Command('homing').version('1').exitOverride();
  program.addCommand(new Command('mailbox').addCommand(rights));
  for (const each of [program, ...program.commands, rights])
    each.exitOverride().configureOutput({ writeOut() {}, writeErr() {} });
  try {
    await program.parseAsync(['mailbox', 'rights', ...words], { from: 'user' });
    return found;
  } catch (error) {
    return error instanceof CommandError ? error.lines[0] : 'usage';
  }
}
const given = (identifier: string | undefined, rights: string | undefined, file = 'homing.toml') => ({
  file,
  name: 'joe',
  mailbox: 'box',
  identifier,
  rights,
});

test('rights are shown, set, added and taken', async () => {
  assert.equal(await asked('joe', 'box'), given(undefined, undefined));
  assert.equal(await asked('joe', 'box', 'ann', 'lr'), given('ann', 'lr'));
  assert.equal(await asked('joe', 'box', 'ann', '+p', '-f', 'x'), given('ann', '+p', 'x'));
  assert.equal(await asked('joe', 'box', 'ann', '-p', '-f', 'x'), given('ann', '-p', 'x'));
  assert.equal(await asked('-f', 'x', 'joe', 'box', 'ann', '-lrswipkxteacd'), given('ann', '-lrswipkxteacd', 'x'));
  assert.equal(await asked('joe', 'box', 'ann', '-p', '--file=-y'), given('ann', '-p', '-y'));
});

test('a negative identifier has two spellings, and no third', async () => {
  for (const who of ['fred@e.test', 'hans@e.test', 'anyone', 'f', 'h', 'V', '-json']) {
    assert.equal(await asked('joe', 'box', '--', `-${who}`, 'p'), given(`-${who}`, 'p'));
    assert.equal(await asked('-f', 'x', 'joe', 'box', '--', `-${who}`, '-p'), given(`-${who}`, '-p', 'x'));
    if (who.startsWith('-')) continue;
    assert.equal(await asked('joe', 'box', '--negative', who, 'p'), given(`-${who}`, 'p'));
    assert.equal(await asked('joe', 'box', who, '-p', '--negative'), given(`-${who}`, '-p'));
  }
  for (const who of ['-fred@e.test', '-hans@e.test', '-anyone', '-ff'])
    assert.match(String(await asked('joe', 'box', who, 'p')), new RegExp(`^${who}: is no option`));
  assert.match(String(await asked('joe', 'box', '--negative')), /^--negative: for which identifier/);
});

test('an option that is misspelt is refused, wherever it stands', async () => {
  for (const words of [
    ['joe', 'box', '--jsn'],
    ['joe', 'box', 'ann', 'p', '--fil', 'x'],
    ['--negativ', 'joe', 'box', 'ann', 'p'],
    ['joe', 'box', 'ann', '-q'],
  ])
    assert.match(String(await asked(...words)), /is no option, and no rights to be taken/, words.join(' '));
  assert.is(await asked('joe', 'box', 'ann', 'p', 'more'), 'usage');
});

test.run();
