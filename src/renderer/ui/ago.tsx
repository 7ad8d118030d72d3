import { formatAgo, formatTime } from '../../shared/format.ts'
import { useNow } from './use-now.ts'

/** `3 h ago`, with the exact local time on hover. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={formatTime(at)}>
      {formatAgo(at, now)}
    </time>
  )
}
