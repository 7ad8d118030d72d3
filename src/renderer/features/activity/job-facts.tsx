import { Anchor } from '@mantine/core'
import { safeLines } from '../../../shared/safe-text.ts'
import { Panel } from '../../ui/panel.tsx'
import classes from './activity.module.css'
import type { Fact } from './job-view.ts'
import { words } from './words.ts'

interface JobFactsProps {
  readonly facts: readonly Fact[]
  readonly onLink: (link: NonNullable<Fact['link']>) => void
}

export const JobFacts = ({ facts, onLink }: JobFactsProps) => (
  <Panel title={words.job.facts}>
    <dl className={classes['facts']}>
      {facts.map(({ label, text, link }) => (
        <div key={label} style={{ display: 'contents' }}>
          <dt>{label}</dt>
          <dd className={classes['lines']}>
            {link === undefined ? (
              <bdi>{safeLines(text)}</bdi>
            ) : (
              <Anchor component="button" type="button" ta="start" onClick={() => onLink(link)}>
                <bdi>{safeLines(text)}</bdi>
              </Anchor>
            )}
          </dd>
        </div>
      ))}
    </dl>
  </Panel>
)
