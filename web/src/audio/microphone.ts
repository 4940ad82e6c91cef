/** Sound from the microphone, as a file. */

const MOST_MS = 60_000
const FILE = 'microphone'
/** What a browser says, and what that means. */
const REASONS: Record<string, string> = {
  NotAllowedError: 'The browser may not use the microphone: allow it beside the address.',
  NotFoundError: 'There is no microphone.',
  NotReadableError: 'Another program uses the microphone.',
}

/** A recording that goes on. */
export interface Take {
  stop(): void
  /** Once it has been stopped, has lasted a minute, or the microphone has gone. */
  file: Promise<File>
}

/** Begin to record; an error says in words why that cannot be. */
export async function recordMicrophone(): Promise<Take> {
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (!devices) throw new Error('Browsers give the microphone to pages by https only.')
  // Music is not speech: nothing is to be taken for noise, or made louder.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  const stream = await devices.getUserMedia({ audio }).catch((error: Error) => {
    throw new Error(REASONS[error.name] ?? `The microphone does not work. ${error.message}`)
  })
  const recorder = new MediaRecorder(stream)
  const parts: Blob[] = []
  const file = new Promise<File>((resolve, reject) => {
    recorder.ondataavailable = ({ data }) => parts.push(data)
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop()
      const type = recorder.mimeType
      const size = parts.reduce((sum, part) => sum + part.size, 0)
      const ending = type.includes('mp4') ? 'm4a' : type.includes('ogg') ? 'ogg' : 'webm'
      if (size > 0) resolve(new File(parts, `${FILE}.${ending}`, { type }))
      else reject(new Error('Nothing was heard from the microphone.'))
    }
  })
  recorder.start()
  const stop = () => recorder.state !== 'inactive' && recorder.stop()
  setTimeout(stop, MOST_MS)
  return { stop, file }
}
