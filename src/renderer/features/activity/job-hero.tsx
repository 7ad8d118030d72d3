import { Text } from '@mantine/core'
import { formatPause } from '../../../shared/format.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import { Panel } from '../../ui/panel.tsx'
import { PauseFigure } from '../../ui/pause-figure.tsx'
import { PhaseStrip } from '../../ui/phase-strip.tsx'
import classes from './activity.module.css'
import { shareOf, type Hero } from './job-view.ts'
import { words } from './words.ts'

interface JobHeroProps {
  readonly job: JobView
  readonly hero: Hero | undefined
}

/** How long the VM stood still, or was away; and what the job did meanwhile, to scale. */
export function JobHero({ job, hero }: JobHeroProps) {
  if (hero === undefined && job.phases.length === 0) return undefined
  return (
    <Panel>
      {hero !== undefined && <HeroFigure hero={hero} />}
      <JobStrip {...job} />
    </Panel>
  )
}

/** What a job did, and when. */
export const JobStrip = ({
  phases,
  pauses,
  startedAt,
  endedAt
}: Pick<JobView, 'phases' | 'pauses' | 'startedAt' | 'endedAt'>) =>
  phases.length > 0 && (
    <div role="group" aria-label={words.job.strip}>
      <PhaseStrip phases={phases} pauses={pauses} startedAt={startedAt} endedAt={endedAt} />
    </div>
  )

function HeroFigure({ hero }: { readonly hero: Hero }) {
  if (hero.is === 'text') return <Text fw={600}>{hero.text}</Text>
  return (
    <div className={classes['hero']}>
      <div className={classes['heroFigure']}>
        <PauseFigure ms={hero.ms} />
        <Text c="dimmed">{hero.is === 'pause' ? words.job.stoodStill : words.job.ranAgain}</Text>
      </div>
      {hero.is === 'pause' && hero.classicMs !== undefined && <Yardstick ms={hero.ms} classicMs={hero.classicMs} />}
    </div>
  )
}

/** The pause on the bar of what the classic method would have cost, to scale. */
const Yardstick = ({ ms, classicMs }: { readonly ms: number; readonly classicMs: number }) => (
  <div className={classes['yardstick']}>
    <div className={classes['yardstickTrack']} aria-hidden>
      <div className={classes['yardstickPause']} style={{ width: `${shareOf(ms, classicMs)}%` }} />
    </div>
    <span>{words.job.classic(formatPause(classicMs))}</span>
  </div>
)
