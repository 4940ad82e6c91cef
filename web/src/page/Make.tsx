import { signal } from '@preact/signals'
import type { Riff } from '../riffs/api'
import { idea } from '../state/ideas'
import {
  bodyOfWish,
  FIRST_WISH,
  MOST_AT_ONCE,
  MOST_BARS,
  MOST_SECONDS,
  type Wish,
} from '../state/wish'
import { Downloads } from './Downloads'
import {
  ChordsField,
  EnergyField,
  KeyField,
  LeaveOutField,
  randomSeed,
  SeedField,
  Slider,
  TempoField,
} from './fields'
import { Icon } from './icons'
import { jobs, workOn } from './jobs'
import { Microphone } from './Microphone'
import { api, dropped, said, session } from './studio'

export const wish = signal<Wish>(FIRST_WISH)
/** What was made since the page was opened, the last one first. */
export const made = signal<Riff[]>([])

/** A finished riff: how long, at what tempo, how many. */
export function Make() {
  const now = wish.value
  const set = (change: Partial<Wish>) => (wish.value = { ...wish.value, ...change })
  return (
    <form
      class="make"
      aria-label="Make a riff"
      onSubmit={(event) => {
        event.preventDefault()
        void make(wish.value)
      }}
    >
      <Prompt value={now.prompt} onChange={(prompt) => set({ prompt })} />
      <Length wish={now} set={set} />
      <TempoField value={now.bpm} onChange={(bpm) => set({ bpm })} />
      <KeyField value={now.key} onChange={(key) => set({ key })} />
      <EnergyField value={now.energy} onChange={(energy) => set({ energy })} />
      <LeaveOutField value={now.negative} onChange={(negative) => set({ negative })} />
      <ChordsField value={now.chords} onChange={(chords) => set({ chords })} />
      <SeedField value={now.seed} onChange={(seed) => set({ seed })} />
      <Slider
        label="How many"
        hint="Each with a seed of its own"
        low={1}
        high={MOST_AT_ONCE}
        step={1}
        value={now.count}
        onChange={(count) => set({ count: Math.round(count) })}
      />
      <div class="buttons">
        <button class="primary">Make</button>
        <label class="small file">
          Begin with a sound
          <input
            type="file"
            accept="audio/*,image/png,image/jpeg"
            onChange={(event) => {
              dropped.value = event.currentTarget.files?.[0] ?? null
              event.currentTarget.value = ''
            }}
          />
        </label>
        <Microphone />
      </div>
      <Made />
    </form>
  )
}

/** Make what is wished, one after the other; the first is played as soon as it is there. */
export async function make(asked: Wish): Promise<void> {
  for (let i = 0; i < asked.count; i++) {
    const what = asked.count === 1 ? 'Making' : `Making ${i + 1} of ${asked.count}`
    const verb = asked.loop ? 'loop' : 'generate'
    const done = await workOn(
      what,
      () => api.make(verb, bodyOfWish(asked, i)),
      (riff) => (i === 0 ? session.open(riff) : Promise.resolve()),
    )
    if (!done) return
    made.value = [done, ...made.value]
    said.value = `${done.prompt || 'The riff'} is ready.`
  }
}

function Prompt({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <div class="prompt">
      <input
        id="prompt"
        aria-label="What is it to be?"
        placeholder="What is it to be?"
        maxLength={500}
        autocomplete="off"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <button
        type="button"
        class="round"
        aria-label="An idea"
        title="An idea"
        onClick={() => onChange(idea())}
      >
        <Icon name="dice" />
      </button>
    </div>
  )
}

function Length({ wish, set }: { wish: Wish; set: (change: Partial<Wish>) => void }) {
  return (
    <>
      <div class="modes" role="radiogroup" aria-label="What is made">
        <label>
          <input
            type="radio"
            name="what"
            checked={!wish.loop}
            onChange={() => set({ loop: false })}
          />
          <span class="name">Piece</span>
          <span class="about">of so many seconds</span>
        </label>
        <label>
          <input
            type="radio"
            name="what"
            checked={wish.loop}
            onChange={() => set({ loop: true })}
          />
          <span class="name">Loop</span>
          <span class="about">of whole bars, without a seam</span>
        </label>
      </div>
      {wish.loop ? (
        <Slider
          label="Bars"
          hint="Of four beats"
          low={1}
          high={MOST_BARS}
          step={1}
          value={wish.bars}
          onChange={(bars) => set({ bars: Math.round(bars) })}
        />
      ) : (
        <Slider
          label="Seconds"
          hint="How long it lasts"
          low={1}
          high={MOST_SECONDS}
          step={1}
          value={wish.seconds}
          onChange={(seconds) => set({ seconds })}
        />
      )}
    </>
  )
}

function Made() {
  if (made.value.length === 0) {
    return jobs.value.length > 0 ? null : (
      <p class="empty">What is made plays at once and lies in the gallery.</p>
    )
  }
  return (
    <section aria-labelledby="made">
      <h2 id="made">Just made</h2>
      <ul class="items">
        {made.value.map((riff) => (
          <li class="item" key={riff.id}>
            <button
              type="button"
              class="text"
              onClick={() => {
                session.open(riff).catch((error: Error) => (session.notice.value = error.message))
              }}
            >
              {riff.prompt || 'no words'}, seed {String(riff.settings.seed)}
            </button>
            <Downloads riff={riff} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Another one like a riff: its wish with another seed. */
export function moreLike(asked: Wish): void {
  wish.value = { ...asked, seed: randomSeed(), count: 1 }
  void make(wish.value)
}
