import type { Scene } from '../stream/protocol'
import {
  AutoSlider,
  ChordsField,
  EnergyField,
  KeyField,
  LeaveOutField,
  SeedField,
  Slider,
  TempoField,
} from './fields'
import { session } from './studio'

/** How it is played. Every change is heard with the next window. */
export function Tuning() {
  const scene = session.scene.value
  const set = (change: Partial<Scene>) => session.change(change)
  return (
    <section class="tuning" aria-labelledby="tuning">
      <h2 id="tuning">Tuning</h2>
      <Mode scene={scene} />
      <TempoField value={scene.bpm} onChange={(bpm) => set({ bpm })} />
      <KeyField value={scene.key} onChange={(key) => set({ key })} />
      <EnergyField value={scene.energy} onChange={(energy) => set({ energy })} />
      <ChordsField
        value={scene.chords ?? ''}
        onChange={(chords) => set({ chords: chords || null })}
      />
      {scene.mode === 'riff' && (
        <>
          <Slider
            label="Variation"
            hint="How far each repetition goes from the riff"
            low={0.05}
            high={1}
            step={0.05}
            value={scene.strength}
            onChange={(strength) => set({ strength })}
          />
          <Slider
            label="Wander"
            hint="How fast the riff itself turns into another"
            low={0}
            high={1}
            step={0.05}
            value={scene.walk}
            onChange={(walk) => set({ walk })}
          />
        </>
      )}
      <Slider
        label="Change over"
        name="Change over, bars"
        hint="Bars that a change of words takes; 0 is at once"
        low={0}
        high={16}
        step={1}
        value={scene.morph_bars}
        onChange={(bars) => set({ morph_bars: bars })}
      />
      <SeedField value={scene.seed} onChange={(seed) => set({ seed, alpha: 0 })} />
      <LeaveOutField
        value={scene.negative_prompt}
        onChange={(text) => set({ negative_prompt: text })}
      />
      <details>
        <summary>More</summary>
        <AutoSlider
          label="Obedience"
          hint="How closely it keeps to the words; high values sound harder"
          auto="As the model likes it"
          start={5}
          low={1}
          high={12}
          step={0.5}
          value={scene.guidance_scale}
          onChange={(guidance) => set({ guidance_scale: guidance })}
        />
        <Slider
          label="Steps"
          hint="More steps sound finer and take longer"
          low={1}
          high={30}
          step={1}
          value={scene.num_inference_steps}
          onChange={(steps) => set({ num_inference_steps: Math.round(steps) })}
        />
      </details>
    </section>
  )
}

function Mode({ scene }: { scene: Scene }) {
  const modes = [
    { id: 'flow', name: 'Flow', about: 'the piece goes somewhere' },
    { id: 'riff', name: 'Riff', about: 'variations on one riff' },
  ] as const
  return (
    <div class="modes" role="radiogroup" aria-label="How it moves on">
      {modes.map(({ id, name, about }) => (
        <label key={id}>
          <input
            type="radio"
            name="mode"
            checked={scene.mode === id}
            onChange={() => session.change({ mode: id })}
          />
          <span class="name">{name}</span>
          <span class="about">{about}</span>
        </label>
      ))}
    </div>
  )
}
