/** No secret, no mail and no unbounded value passes into the log. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cutName, isSecretName, MASK, redact } from '../../telemetry/redact.ts';

test('fields named like a secret are masked, in any spelling and at any depth', () => {
  for (const name of [
    'secret',
    'password',
    'token',
    'ticket',
    'digest',
    'newSecret',
    'new-secret',
    'OLD_PASSWORD',
    'accessToken',
    'passwd',
    'proof',
    'plain',
    'storedKey',
  ])
    assert.equal(redact({ [name]: 'x', a: [{ b: { [name]: { c: 1 } } }] }), {
      [name]: MASK,
      a: [{ b: { [name]: MASK } }],
    });
});

test('names that only begin so are not', () => {
  for (const name of ['passwordChange', 'ticketExpiry', 'secretary', 'account', 'sha256', 'key'])
    assert.not.ok(isSecretName(name));
});

test('octets are counted, never shown', () => {
  const body = new TextEncoder().encode('From: joe');
  assert.equal(redact({ body, list: [body], buffer: Buffer.from('abc'), raw: body.buffer }), {
    body: '[9 octets]',
    list: ['[9 octets]'],
    buffer: '[3 octets]',
    raw: `[${body.buffer.byteLength} octets]`,
  });
});

test('an error keeps its name, message, code, stack and cause, and nothing that was hung on it', () => {
  const error = Object.assign(new Error('broken', { cause: new TypeError('why') }), {
    code: 'EIO',
    request: { body: 'mail' },
  });
  const { error: shown } = redact({ error }) as { error: Record<string, unknown> };
  assert.equal(Object.keys(shown), ['name', 'message', 'code', 'stack', 'cause']);
  assert.is(shown.message, 'broken');
  assert.is((shown.cause as Record<string, unknown>).name, 'TypeError');
});

test('hostile: a circle, a getter that throws, a proxy that throws, a prototype for a key, text without end', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.ok(JSON.stringify(redact(circle)).length < 200);
  assert.equal(
    redact({
      get a() {
        throw new Error('no');
      },
    }),
    { a: '[unreadable]' },
  );
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no');
      },
    },
  );
  assert.equal(redact({ proxy }), { proxy: { unreadable: true } });
  const polluted = redact(JSON.parse('{"__proto__": {"password": "x"}}') as object as Record<string, unknown>);
  assert.equal(JSON.stringify(polluted), `{"__proto__":{"password":"${MASK}"}}`);
  assert.is(Object.getPrototypeOf(polluted), Object.prototype);
  assert.ok(JSON.stringify(redact({ a: 'x'.repeat(1e6), b: new Array(1e5).fill('y') })).length < 6000);
});

test('a name is kept as long as an account may have it (RFC 5321 §4.5.3.1), and cut beyond', () => {
  const longest = `${'l'.repeat(64)}@${'d'.repeat(255)}`;
  assert.is(cutName(longest), longest);
  assert.is(cutName(`${longest}x`), `${longest}... (321 characters)`);
});

test('whatever is logged becomes plain data that JSON can print, and no secret gets through', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('password', 'newSecret', 'TICKET'));
  const hidden = fc.dictionary(fc.constantFrom('password', 'newSecret', 'a', 'b'), fc.constant('s3cr3t!'));
  fc.assert(
    fc.property(
      fc.dictionary(key, fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true })),
      hidden,
      (fields, secret) => {
        const { a: _a, b: _b, ...onlySecret } = secret;
        const text = JSON.stringify(redact({ ...fields, deep: { er: [onlySecret] }, ...onlySecret }));
        assert.is(typeof text, 'string');
        assert.not.ok(text.includes('s3cr3t!'));
      },
    ),
  );
});

test.run();
