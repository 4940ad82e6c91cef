import { cancel, jobs, secondsLeft, type Job } from './jobs'

/** What is being made: how far, how long yet, and a way out. */
export function Jobs() {
  if (jobs.value.length === 0) return null
  return (
    <section class="jobs" aria-label="In the making">
      {jobs.value.map((job) => (
        <Row key={job.id} job={job} />
      ))}
    </section>
  )
}

function Row({ job }: { job: Job }) {
  const percent = Math.round(100 * job.progress)
  return (
    <div class="job">
      <p>
        {job.what} <span class="facts">{job.cancelled ? 'Stopping' : progress(job, percent)}</span>
      </p>
      <progress aria-label={job.what} max="100" value={percent} />
      <button
        class="small"
        disabled={job.riff === null || job.cancelled}
        onClick={() => void cancel(job)}
      >
        Cancel
      </button>
    </div>
  )
}

function progress(job: Job, percent: number): string {
  if (job.queued) return 'Waits for its turn'
  const left = secondsLeft(job, performance.now())
  return left === null ? `${percent} %` : `${percent} %, ${Math.max(1, Math.round(left))} s left`
}
