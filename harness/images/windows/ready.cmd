@echo off
rem Says that the guest is ready, when Windows has started the SSH server.
call "%~dp0settings.cmd"
:wait
sc query sshd | find "RUNNING" >nul
if errorlevel 1 (
    ping -n 2 127.0.0.1 >nul
    goto wait
)
>%CONSOLE% (echo.& echo %SAY%ready)
