import { Skeleton, Stack } from '@mantine/core'

/** Where a page will be, while its code is on the way. */
export function PageSkeleton() {
  return (
    <Stack gap="lg" aria-hidden>
      <Skeleton h={32} w="40%" />
      <Skeleton h={160} />
      <Skeleton h={320} />
    </Stack>
  )
}
