// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {children}
    </svg>
  );
}

export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M16 4C8.800 4 3 8.500 3 14.400c0 3.600 2 6.700 5.200 8.600L7 27.600c-.2.600.4 1 .9.700l5.500-3.400c.9.100 1.700.200 2.600.200 7.200 0 13-4.600 13-10.700S23.200 4 16 4z" fill="currentColor" />
    <circle cx="12" cy="12.800" r="1.400" className="mark-in" />
    <circle cx="20" cy="12.800" r="1.400" className="mark-in" />
    <path d="M11 16.600c1.200 2.600 2.900 3.800 5 3.800s3.800-1.200 5-3.800c-3.200.700-6.800.700-10 0z" className="mark-in" />
  </svg>
);
export const CameraIcon = () => (
  <Icon>
    <path d="M4 8.500A1.500 1.500 0 0 1 5.500 7h2l1.300-2h6.400l1.300 2h2A1.500 1.500 0 0 1 20 8.500v9a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 4 17.500z" />
    <circle cx="12" cy="12.800" r="3.300" />
  </Icon>
);
export const PhotoIcon = () => (
  <Icon>
    <rect x="4" y="4" width="16" height="16" rx="3" />
    <circle cx="12" cy="10.300" r="2.700" />
    <path d="M6.800 19.600c.6-2.900 2.600-4.400 5.200-4.400s4.600 1.500 5.200 4.400" />
  </Icon>
);
export const PlayIcon = () => (
  <Icon>
    <path d="M8.500 6.200v11.600c0 .5.500.8.900.5l8.700-5.800c.4-.2.400-.8 0-1L9.400 5.700c-.4-.3-.9 0-.9.500z" fill="currentColor" />
  </Icon>
);
export const StopIcon = () => (
  <Icon>
    <rect x="7" y="7" width="10" height="10" rx="1.500" fill="currentColor" />
  </Icon>
);
export const SaveIcon = () => (
  <Icon>
    <path d="M12 4v11m0 0-4-4m4 4 4-4M5 19.500h14" />
  </Icon>
);
export const ShareIcon = () => (
  <Icon>
    <path d="m4.500 11.500 15-7-5.500 15-2.800-6.200z" />
    <path d="m11.200 13.300 3.300-3.500" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m6.500 6.500 11 11m0-11-11 11" />
  </Icon>
);
export const UploadIcon = () => (
  <Icon>
    <path d="M12 15.500V5m0 0L8 9m4-4 4 4M5 15v3.500A1.500 1.500 0 0 0 6.500 20h11a1.500 1.500 0 0 0 1.500-1.500V15" />
  </Icon>
);
export const WarnIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.500" />
    <path d="M12 7.800v5m0 3.300v.1" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="m5.500 12.500 4.300 4.300 8.700-9.600" />
  </Icon>
);

/** A line drawing of somebody smiling: where a photo will be. */
export const Person = () => (
  <svg className="line-person" viewBox="0 0 120 120" aria-hidden="true">
    <circle cx="60" cy="60" r="58" className="glow" />
    <path d="M24 104c3-22 17-33 36-33s33 11 36 33" />
    <path d="M60 66c-13 0-20-11-20-24 0-14 8-23 20-23s20 9 20 23c0 13-7 24-20 24z" />
    <path d="M52 52c4 5 12 5 16 0" />
    <path d="M51.500 40v2m17-2v2" />
  </svg>
);
