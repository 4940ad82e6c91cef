/** One piece of work at a time; the stream's comes before all else, even between two steps. */
export class Turns {
  private readonly urgent: (() => Promise<void>)[] = []
  private busy: Promise<void> = Promise.resolve()
  private patientIsOn = false

  /** Work that cannot wait: as soon as what is under way comes to its next step. */
  soon<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.urgent.push(() => work().then(resolve, reject))
      if (!this.patientIsOn) void this.after(() => this.giveWay())
    })
  }

  /** Work that may take long; it calls `giveWay` between its steps. */
  patiently<T>(work: () => Promise<T>): Promise<T> {
    return this.after(async () => {
      this.patientIsOn = true
      try {
        return await work()
      } finally {
        this.patientIsOn = false
        await this.giveWay()
      }
    })
  }

  /** Let what cannot wait be done now. */
  async giveWay(): Promise<void> {
    for (let work = this.urgent.shift(); work; work = this.urgent.shift()) await work()
  }

  private after<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.busy.then(work)
    this.busy = mine.then(
      () => {},
      () => {},
    )
    return mine
  }
}
