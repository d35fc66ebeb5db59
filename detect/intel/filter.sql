-- What touches an address of an intelligence list.
src_intel != '' OR dst_intel != ''
