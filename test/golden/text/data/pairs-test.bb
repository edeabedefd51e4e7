pal mon unseenmon ren ïk Ruma mon he tami
aka pal unseenmon vig ters ba larin yar rez
nip so unseenhe aka
iss ox unseenhe ula larin he Ruma mon
kade kwil
larin ïk unseenRuma ba ïk hund
ba kwil unseenba wop
sok ula unseenïk ïk hund mon dato dorn
mon kade unseenmon bri
mon vig unseenters nip mon dato dorn
pal
vig ters
iss he unseenula larin yar
larin yar unseenïk rez pal vig ba ters
