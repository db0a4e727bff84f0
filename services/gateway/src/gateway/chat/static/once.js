// One act at a time for each key, and once more when it was asked for meanwhile.

export class Once {
  #asked = new Map();
  #wait;

  // wait(): before every act; what is asked for during that is one.
  constructor(wait = async () => {}) {
    this.#wait = wait;
  }

  async run(key, act) {
    if (this.#asked.has(key)) return this.again(key);
    this.#asked.set(key, true);
    try {
      while (this.#asked.get(key)) {
        await this.#wait();
        this.#asked.set(key, false);
        await act();
      }
    } finally {
      this.#asked.delete(key);
    }
  }

  runs(key) {
    return this.#asked.has(key);
  }

  // The act that runs saw less than what is there now.
  again(key) {
    if (this.#asked.has(key)) this.#asked.set(key, true);
  }
}
