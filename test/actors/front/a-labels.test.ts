/** Domains in ASCII: RFC 5890 §2.3.2.1, RFC 6531 §3.2. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aLabels } from '../../../actors/front/a-labels.ts';

test('a domain in ASCII is as it was, address literals included', () => {
  for (const domain of ['', 'Example.Test', '[127.0.0.1]', '[IPv6:::1]', 'xn--bcher-kva.example'])
    assert.is(aLabels(domain), domain);
});

test('a U-label becomes its A-label, whatever the case', () => {
  assert.is(aLabels('bücher.example'), 'xn--bcher-kva.example');
  assert.is(aLabels('BÜCHER.Example'), 'xn--bcher-kva.example');
  assert.is(aLabels('例え.テスト'), 'xn--r8jz45g.xn--zckzah');
  assert.is(aLabels('straße.example'), 'xn--strae-oqa.example');
});

test('attack: what would have to be mapped to become a name is none', () => {
  for (const domain of [
    'ｅxample.test',
    'example。test',
    'bu\u0308cher.example',
    'ex\u00adample.test',
    'ü..b',

    '①.test',
  ])
    assert.is(aLabels(domain), undefined, domain);
});

test.run();
