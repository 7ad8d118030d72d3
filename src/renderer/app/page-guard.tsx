import { Button } from '@mantine/core'
import { IconMoodSad } from '@tabler/icons-react'
import { Component, type ReactNode } from 'react'
import { safeLines } from '../../shared/safe-text.ts'
import type { Route } from '../state/route-slice.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { PartMissing } from '../ui/lazy-part.ts'
import { PageHeader } from '../ui/page-header.tsx'
import { words } from '../words.ts'

interface PageGuardProps {
  readonly route: Route
  readonly onLeave: () => void
  readonly children: ReactNode
}

interface Guarded {
  readonly error: unknown
  /** Where it broke. */
  readonly route: Route
}

/** A page that breaks takes nothing else with it, and the next page starts anew. */
export class PageGuard extends Component<PageGuardProps, Guarded> {
  override state: Guarded = { error: undefined, route: this.props.route }

  static getDerivedStateFromError(error: unknown): Partial<Guarded> {
    return { error }
  }

  static getDerivedStateFromProps({ route }: PageGuardProps, state: Guarded): Guarded {
    return state.route === route ? state : { error: undefined, route }
  }

  override render(): ReactNode {
    const { error } = this.state
    return error === undefined ? this.props.children : <Broken error={error} onLeave={this.props.onLeave} />
  }
}

function Broken({ error, onLeave }: { readonly error: unknown; readonly onLeave: () => void }) {
  const { what, text } = error instanceof PartMissing ? words.broken.missing : words.broken
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return (
    <>
      <PageHeader title={words.broken.title} />
      <EmptyState icon={IconMoodSad} title={what} text={text}>
        <Button onClick={onLeave}>{words.broken.leave}</Button>
        <CopyButton text={safeLines(details)} label={words.copyDetails} />
      </EmptyState>
    </>
  )
}
