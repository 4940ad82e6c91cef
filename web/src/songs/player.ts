import { signal } from '@preact/signals'

/** Plays a song that grows: where a longer render comes, it goes on in that without a stop. */
export class SongPlayer {
  readonly playing = signal(false)
  readonly place = signal(0)
  /** Seconds that can be heard by now. */
  readonly ready = signal(0)
  private audio = new Audio()
  private coming: HTMLAudioElement | null = null
  private complete = false
  private readonly timer: number

  constructor() {
    this.timer = window.setInterval(() => this.tick(), 60)
  }

  /**
   * Take another render.
   * @param ready seconds of it that the whole song has, too: its end fades while more is to come
   */
  async take(url: string, ready: number, complete: boolean): Promise<void> {
    const next = new Audio()
    this.coming = next
    next.preload = 'auto'
    next.src = url
    await new Promise<void>((done, failed) => {
      next.oncanplaythrough = () => done()
      next.onerror = () => failed(new Error('The sound of the song cannot be played.'))
    })
    if (this.coming !== next) return
    this.coming = null
    next.oncanplaythrough = next.onerror = null
    const before = this.audio
    next.currentTime = Math.min(this.place.value, ready)
    next.volume = before.volume
    this.audio = next
    this.ready.value = ready
    this.complete = complete
    if (this.playing.value) await next.play()
    before.pause()
    before.removeAttribute('src')
  }

  async toggle(): Promise<void> {
    if (this.playing.value) return this.pause()
    if (this.place.value >= this.ready.value - 0.05 && this.complete) this.seek(0)
    this.playing.value = true
    if (this.ready.value > 0) await this.audio.play()
  }

  pause(): void {
    this.playing.value = false
    this.audio.pause()
  }

  seek(seconds: number): void {
    this.place.value = Math.max(0, Math.min(seconds, this.ready.value))
    if (this.ready.value > 0) this.audio.currentTime = this.place.value
  }

  /** Nothing to play any more. */
  clear(): void {
    this.pause()
    this.coming = null
    this.audio.removeAttribute('src')
    this.ready.value = this.place.value = 0
    this.complete = false
  }

  close(): void {
    clearInterval(this.timer)
    this.clear()
  }

  private tick(): void {
    if (!this.playing.value || this.ready.value === 0) return
    this.place.value = Math.min(this.audio.currentTime, this.ready.value)
    const atEnd = this.audio.ended || this.place.value >= this.ready.value - 0.02
    if (atEnd && this.complete) this.pause()
    // What comes next is still painted: wait there.
    else if (atEnd) this.audio.pause()
    else if (this.audio.paused) void this.audio.play()
  }
}
