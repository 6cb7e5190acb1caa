# Sanitizers for every target, e.g. SAKEDGE_SANITIZE=address,undefined.
if(SAKEDGE_SANITIZE)
  if(MSVC)
    message(FATAL_ERROR "SAKEDGE_SANITIZE needs GCC or Clang")
  endif()
  add_compile_options(-fsanitize=${SAKEDGE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SAKEDGE_SANITIZE})
endif()
