/** The house's clock in the shape that XState asks for. Keeps no time of its own. */
import type { ActorOptions, AnyActorLogic } from 'xstate';
import type { Clock, Timer } from '../kernel/clock.ts';

/** XState's timers are numbered only in its types. */
export const timersOf = (clock: Clock): NonNullable<ActorOptions<AnyActorLogic>['clock']> => ({
  setTimeout: (then, ms) => clock.after(ms, () => then()),
  clearTimeout: (timer: Timer) => timer.cancel(),
});
