import { pick, type RandomNumbers, randomNumbers } from '../random.ts';

/** What is left to chance, the same for the same seed. */
export class Chance {
  readonly #random: RandomNumbers;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  isTrue(probability: number): boolean {
    return this.#random() < probability;
  }

  between(least: number, most: number): number {
    return least + this.#random() * (most - least);
  }

  /** Whole numbers, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  pick<T>(list: readonly T[]): T {
    return pick(this.#random, list);
  }

  /** How long until something happens that happens every so often on average, at any time alike. */
  until(meanMs: number): number {
    return -meanMs * Math.log(1 - this.#random());
  }
}
