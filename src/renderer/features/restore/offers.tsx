import { ActionIcon, Button, UnstyledButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { safeText } from '../../../shared/safe-text.ts'
import { CommandText } from '../../ui/command-line.tsx'
import { useCopied } from '../../ui/use-copied.ts'
import { words as shared } from '../../words.ts'
import { flagFor, type Decision } from './decisions.ts'
import classes from './restore.module.css'
import { decisionText } from './restore-text.ts'
import { words } from './words.ts'

interface OffersProps {
  readonly label: string
  readonly decisions: readonly Decision[]
  readonly onDecide: (decision: Decision) => void
}

/** What can be decided: each a button with the argument that says the same in the terminal. */
export const Offers = ({ label, decisions, onDecide }: OffersProps) => (
  <ul className={classes['offers']} aria-label={label}>
    {decisions.map((decision) => (
      <Row key={flagFor(decision)} decision={decision}>
        <UnstyledButton className={classes['offer']} onClick={() => onDecide(decision)}>
          <What decision={decision} />
        </UnstyledButton>
      </Row>
    ))}
  </ul>
)

interface DecidedProps {
  readonly decisions: readonly Decision[]
  readonly onTakeBack: (decision: Decision) => void
}

/** What was decided, and can be taken back. */
export const Decided = ({ decisions, onTakeBack }: DecidedProps) => (
  <ul className={classes['offers']} aria-label={words.check.decided}>
    {decisions.map((decision) => (
      <Row key={flagFor(decision)} decision={decision}>
        <span className={classes['decided']}>
          <What decision={decision} isDecided />
        </span>
        <Button
          size="compact-xs"
          variant="default"
          aria-label={words.check.takeBackOf(decisionText(decision))}
          onClick={() => onTakeBack(decision)}
        >
          {words.check.takeBack}
        </Button>
      </Row>
    ))}
  </ul>
)

function Row({ decision, children }: { readonly decision: Decision; readonly children: ReactNode }) {
  const flag = flagFor(decision)
  return (
    <li>
      {children}
      <CopyFlag flag={flag} />
    </li>
  )
}

function What({ decision, isDecided = false }: { readonly decision: Decision; readonly isDecided?: boolean }) {
  return (
    <>
      <bdi className={classes['offerLabel']}>
        {isDecided && decision.kind === 'allow' ? words.check.allowed : decisionText(decision)}
      </bdi>
      <code className={classes['flag']}>
        <CommandText command={safeText(flagFor(decision))} />
      </code>
    </>
  )
}

/** Quiet: most people click, and those who write it down know where to look. */
function CopyFlag({ flag }: { readonly flag: string }) {
  const { copied, copy } = useCopied(flag)
  const Symbol = copied ? IconCheck : IconCopy
  const label = copied ? shared.copied : words.check.copyFlag(safeText(flag))
  return (
    <ActionIcon variant="subtle" color="gray" size="md" aria-label={label} title={label} onClick={copy}>
      <Symbol size={16} aria-hidden />
    </ActionIcon>
  )
}
