/**
 * The program that attacks: a process of its own, at the lowest priority, so that what hostile clients cost is not taken from
 * the clients that are measured. Reads the plan from the file that is named, and says the result in one line.
 */
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { type AttackPlan, attack } from './attack.ts';

setPriority(constants.priority.PRIORITY_LOW);
console.log(JSON.stringify(await attack(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as AttackPlan)));
