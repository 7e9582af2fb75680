/** Numbers from 0 to 1, the same for the same seed. */
export type RandomNumbers = () => number;

/** A multiplicative generator (Lehmer, modulus 2^31 - 1): enough to make test data differ. */
export function randomNumbers(seed: number): RandomNumbers {
  const modulus = 2_147_483_647;
  let state = ((seed * 7919 + 1) % (modulus - 1)) + 1;
  return () => {
    state = (state * 48_271) % modulus;
    return state / modulus;
  };
}

/** One of the list. */
export function pick<T>(random: RandomNumbers, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}
