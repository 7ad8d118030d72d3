import type { ReactNode } from 'react'
import { Panel } from '../../ui/panel.tsx'
import type { PolicyForm } from './policy-form.ts'
import type { PolicyProblems } from './policy-problems.ts'
import classes from './schedules.module.css'

/** What every part of the form gets. */
export interface PartProps {
  readonly form: PolicyForm
  readonly problems: PolicyProblems
  readonly onEdit: (change: Partial<PolicyForm>) => void
}

interface SectionProps {
  readonly title: string
  readonly children: ReactNode
  /** What the answer means, beside it. */
  readonly aside?: ReactNode
}

/** One question of the form, and beside it what the answer means. */
export const Section = ({ title, children, aside }: SectionProps) => (
  <Panel title={title}>
    <div className={classes[aside === undefined ? 'one' : 'withAside']}>
      <div className={classes['fields']}>{children}</div>
      {aside !== undefined && <div className={classes['aside']}>{aside}</div>}
    </div>
  </Panel>
)
