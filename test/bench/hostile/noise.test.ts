/** Noise that a seed gives again. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Noise } from '../../../bench/hostile/noise.ts';

const sample = (seed: number, stream: number) => {
  const noise = new Noise(seed, stream);
  return [noise.octets(50), ...(['pop3', 'lmtp', 'poppwd'] as const).map((each) => noise.line(each))].map((each) =>
    each.toString('hex'),
  );
};

test('the same seed and stream give the same, others give others', () => {
  assert.equal(sample(7, 3), sample(7, 3));
  assert.not.equal(sample(7, 3), sample(7, 4));
  assert.not.equal(sample(7, 3), sample(8, 3));
  assert.not.equal(sample(0, 0), sample(0, 1));
});

test('every octet and every number below the bound occurs', () => {
  const noise = new Noise(1, 1);
  assert.is(new Set(noise.octets(20_000)).size, 256);
  assert.equal([...new Set(Array.from({ length: 500 }, () => noise.integer(5)))].sort(), [0, 1, 2, 3, 4]);
  assert.equal(noise.shuffle([1, 2, 3, 4, 5, 6]).sort(), [1, 2, 3, 4, 5, 6]);
});

test('no line begins TLS: what comes after that is another kind of client', () => {
  const noise = new Noise(2, 2);
  for (let count = 0; count < 5000; count++)
    for (const protocol of ['pop3', 'lmtp', 'poppwd'] as const)
      assert.not.match(noise.line(protocol).toString('latin1'), /STLS|STARTTLS/i);
});

test.run();
